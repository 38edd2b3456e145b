const DEADLINE_MS = 500;

/** Whether a process of this machine answers as kubelet wants it; undefined while it does not. */
export async function answersOk(port: number, path: string): Promise<true | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await response.arrayBuffer();
    return response.ok || undefined;
  } catch {
    return undefined;
  }
}
