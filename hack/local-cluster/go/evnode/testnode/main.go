// Command testnode is test infrastructure: a small ev-node application for the
// end-to-end tests, the measurements and the demo of evnode-operator. It is
// configured, started and laid out on disk like upstream's testapp, whose
// module is not published, and it is not meant to run a chain that matters.
package main

import (
	"fmt"
	"os"

	evcmd "github.com/evstack/ev-node/pkg/cmd"
	"github.com/evstack/ev-node/pkg/config"
	"github.com/spf13/cobra"
)

// appName names the default home ($HOME/.testapp) and the block database, so
// that paths are the ones that an operator of upstream's testapp knows.
const appName = "testapp"

func main() {
	root := &cobra.Command{
		Use:   appName,
		Short: "ev-node test node with a key-value executor",
	}
	config.AddGlobalFlags(root, appName)
	root.AddCommand(
		startCommand(),
		initCommand(),
		evcmd.VersionCmd,
		evcmd.KeysCmd(),
		evcmd.NetInfoCmd,
		evcmd.StoreUnsafeCleanCmd,
	)

	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
