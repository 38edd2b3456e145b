/**
 * Scripts that ask the program itself: `kubectl-evnode __complete WORD…` prints what the last word may become, one a
 * line, and a line for kubectl at the end.
 */

const bash = `_kubectl_evnode() {
  local line
  COMPREPLY=()
  while IFS='' read -r line; do
    case "$line" in :*) ;; *) COMPREPLY+=("$line") ;; esac
  done < <(kubectl-evnode __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _kubectl_evnode kubectl-evnode`;

const zsh = `#compdef kubectl-evnode
_kubectl_evnode() {
  local -a found
  found=("\${(@f)$(kubectl-evnode __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- "\${(@)found:#:*}"
}
compdef _kubectl_evnode kubectl-evnode`;

const fish = `function __kubectl_evnode
  set -l words (commandline --tokenize --cut-at-cursor --current-process)
  set -a words (commandline --current-token --cut-at-cursor)
  kubectl-evnode __complete $words[2..-1] 2>/dev/null | string match --invert ':*'
end
complete --command kubectl-evnode --no-files --arguments '(__kubectl_evnode)'`;

const kubectl = `#!/bin/sh
exec kubectl-evnode __complete "$@"`;

export const completionScripts: Readonly<Record<string, string>> = { bash, zsh, fish, kubectl };
