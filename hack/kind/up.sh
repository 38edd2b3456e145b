#!/bin/sh
# Makes a kind cluster that fulfils the same contract as hack/local-cluster: a kubeconfig, a default
# StorageClass, and the test images on the node. Prints the line to run next.
set -eu

name=${KIND_CLUSTER:-evnode-operator}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
kubeconfig=$root/dist/kind-kubeconfig

for tool in docker kind kubectl; do
  command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 1; }
done

mkdir -p "$root/dist"
if kind get clusters 2>/dev/null | grep -qx "$name"; then
  echo "cluster $name exists" >&2
else
  kind create cluster --name "$name" --config "$here/cluster.yaml" --kubeconfig "$kubeconfig" --wait 120s >&2
fi
(umask 077 && kind get kubeconfig --name "$name" >"$kubeconfig")

context=$root/hack/local-cluster/go/evnode
build() {
  docker build --quiet --file "$here/Dockerfile" "$@" "$context" >&2
}
build --target local-da --tag evnode.dev/local-da:1
build --target testnode --tag evnode.dev/testnode:1 --build-arg TAG=1
build --target testnode --tag evnode.dev/testnode:2 --build-arg TAG=2
kind load docker-image --name "$name" evnode.dev/local-da:1 evnode.dev/testnode:1 evnode.dev/testnode:2 >&2

echo "export KUBECONFIG=$kubeconfig"
