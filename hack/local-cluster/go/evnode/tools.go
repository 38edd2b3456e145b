//go:build tools

package tools

import _ "github.com/evstack/ev-node/tools/local-da"
