package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/evstack/ev-node/block"
	"github.com/evstack/ev-node/core/execution"
	"github.com/evstack/ev-node/core/sequencer"
	"github.com/evstack/ev-node/node"
	evcmd "github.com/evstack/ev-node/pkg/cmd"
	"github.com/evstack/ev-node/pkg/config"
	"github.com/evstack/ev-node/pkg/da/jsonrpc"
	"github.com/evstack/ev-node/pkg/genesis"
	"github.com/evstack/ev-node/pkg/p2p/key"
	"github.com/evstack/ev-node/pkg/sequencers/single"
	"github.com/evstack/ev-node/pkg/store"
	"github.com/ipfs/go-datastore"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

const (
	flagKVEndpoint = "kv-endpoint"

	// maxQueuedBatches bounds what a sequencer without quorum piles up.
	maxQueuedBatches = 100_000
)

func startCommand() *cobra.Command {
	command := &cobra.Command{
		Use:     "start",
		Aliases: []string{"node", "run"},
		Short:   "Run the test node",
		RunE:    runStart,
	}
	config.AddFlags(command)
	command.Flags().String(flagKVEndpoint, "", "host:port of the key-value HTTP server; empty switches it off")
	return command
}

func runStart(command *cobra.Command, _ []string) error {
	conf, err := evcmd.ParseStartConfig(command)
	if err != nil {
		return err
	}
	logger := evcmd.SetupLogger(conf.Log)

	ctx, cancel := context.WithCancel(command.Context())
	defer cancel()

	executor, err := openExecutor(filepath.Join(databaseDir(conf), "executor"))
	if err != nil {
		return err
	}
	defer executor.Close()

	endpoint, err := command.Flags().GetString(flagKVEndpoint)
	if err != nil {
		return err
	}
	if endpoint != "" {
		address, err := serveKV(ctx, executor, endpoint)
		if err != nil {
			return fmt.Errorf("serve key-value endpoint: %w", err)
		}
		logger.Info().Str("address", address).Msg("key-value endpoint is open")
	}
	return startNode(ctx, command, conf, executor, logger)
}

func startNode(ctx context.Context, command *cobra.Command, conf config.Config, executor *executor, logger zerolog.Logger) error {
	configDir := filepath.Dir(conf.ConfigPath())
	nodeKey, err := key.LoadNodeKey(configDir)
	if err != nil {
		return fmt.Errorf("load node key: %w", err)
	}
	chain, err := genesis.LoadGenesis(filepath.Join(configDir, "genesis.json"))
	if err != nil {
		return fmt.Errorf("load genesis: %w", err)
	}
	blocks, err := store.NewDefaultKVStore(conf.RootDir, conf.DBPath, appName)
	if err != nil {
		return fmt.Errorf("open block store: %w", err)
	}
	batches, err := newSequencer(ctx, conf, chain, blocks, executor, logger)
	if err != nil {
		return err
	}
	return evcmd.StartNode(logger, command, executor, batches, nodeKey, blocks, conf, chain, node.NodeOptions{})
}

// newSequencer answers nil for a full node: it only follows, so it needs neither a
// queue of transactions nor a DA connection of its own.
func newSequencer(
	ctx context.Context,
	conf config.Config,
	chain genesis.Genesis,
	blocks datastore.Batching,
	executor execution.Executor,
	logger zerolog.Logger,
) (sequencer.Sequencer, error) {
	if !conf.Node.Aggregator && !conf.Node.Promotable {
		return nil, nil
	}
	if conf.Node.BasedSequencer {
		return nil, fmt.Errorf("node.based_sequencer is not supported by the test node")
	}
	client, err := jsonrpc.NewWSClient(ctx, logger, conf.GetDAAddress(), conf.DA.AuthToken, "")
	if err != nil {
		return nil, fmt.Errorf("connect to DA: %w", err)
	}
	da := block.NewDAClient(client, conf, logger)
	queue, err := single.NewSequencer(logger, blocks, da, conf, []byte(chain.ChainID), maxQueuedBatches, chain, executor)
	if err != nil {
		return nil, fmt.Errorf("create sequencer: %w", err)
	}
	return queue, nil
}

func databaseDir(conf config.Config) string {
	if filepath.IsAbs(conf.DBPath) {
		return conf.DBPath
	}
	return filepath.Join(conf.RootDir, conf.DBPath)
}
