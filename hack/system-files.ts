import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** A file of this machine that goes into the image as it is. */
export interface SystemFile {
  /** Where it is in the image, and where programs look for it. */
  readonly path: string;
  /** Where it is on this machine, links followed. */
  readonly source: string;
  /** Undefined where no package of Debian or a child of it has it. */
  readonly package: SystemPackage | undefined;
}

export interface SystemPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Who made it and under which licences, as Debian has it. */
  readonly copyright: string;
}

/** What the C library loads by name for look-ups, where it does not have it built in (before glibc 2.34). */
const lookUpLibraries = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];
const certificates = "/etc/ssl/certs/ca-certificates.crt";

/** What a dynamically linked binary needs of its system: its shared libraries, and the certificates to trust. */
export function systemFilesFor(binary: string): readonly SystemFile[] {
  const libraries = librariesOf(binary).map((path): SystemFile => {
    const source = realpathSync(path);
    return { path, source, package: packageOwning(path) ?? packageOwning(source) };
  });
  if (!existsSync(certificates)) return libraries;
  // Put together at the installation of this package, so no package has it in its list.
  const authorities = installedPackage("ca-certificates");
  return [...libraries, { path: certificates, source: realpathSync(certificates), package: authorities }];
}

/** The packages of the files, each once, by name. */
export function packagesOf(files: readonly SystemFile[]): readonly SystemPackage[] {
  const byName = new Map(files.flatMap((file) => (file.package ? [[file.package.name, file.package]] : [])));
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Every shared library that `binary` needs, under the path where its loader looks for it. */
function librariesOf(binary: string): readonly string[] {
  const listing = execFileSync("ldd", [binary], { encoding: "utf8" });
  const missing = /^\s*(\S+) => not found$/m.exec(listing)?.[1];
  if (missing !== undefined)
    throw new Error(`${basename(binary)} needs ${missing}, which this machine does not have`);
  const linked = [...listing.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/gm)].flatMap(
    (match) => match[1] ?? [],
  );
  const libc = linked.find((path) => path.endsWith("/libc.so.6"));
  if (libc === undefined)
    throw new Error(`ldd names no C library for ${binary}, expected a glibc machine:\n${listing}`);
  const loadedLater = lookUpLibraries
    .map((name) => join(dirname(libc), name))
    .filter((path) => existsSync(path));
  return [...new Set([...linked, ...loadedLater])].sort();
}

function packageOwning(path: string): SystemPackage | undefined {
  // `libc6:amd64: /lib/x86_64-linux-gnu/libc.so.6`
  const name = /^([^\s,:]+)/.exec(dpkgQuery("--search", path))?.[1];
  return name === undefined ? undefined : installedPackage(name);
}

function installedPackage(name: string): SystemPackage | undefined {
  const told =
    dpkgQuery("--show", "--showformat", "${Version} ${Architecture}\\n", name).split("\n")[0] ?? "";
  const [version, architecture] = told.split(" ");
  const copyright = join("/usr/share/doc", name, "copyright");
  if (!version || !architecture || !existsSync(copyright)) return undefined;
  return { name, version, architecture, copyright: readFileSync(copyright, "utf8") };
}

/** Nothing where there is no dpkg, or no such package. */
function dpkgQuery(...args: readonly string[]): string {
  const { status, stdout } = spawnSync("dpkg-query", [...args], { encoding: "utf8" });
  return status === 0 ? stdout : "";
}
