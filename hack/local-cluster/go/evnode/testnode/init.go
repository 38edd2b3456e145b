package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	evcmd "github.com/evstack/ev-node/pkg/cmd"
	"github.com/evstack/ev-node/pkg/config"
	"github.com/evstack/ev-node/pkg/genesis"
	"github.com/spf13/cobra"
)

const initialHeight = 1

func initCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "init",
		Short: "Write evnode.yaml, node key, genesis and (for an aggregator) signer below --home",
		RunE:  runInit,
	}
	config.AddFlags(command)
	command.Flags().String(genesis.ChainIDFlag, "ev-test", "chain id of the genesis")
	return command
}

func runInit(command *cobra.Command, _ []string) error {
	home, err := command.Flags().GetString(config.FlagRootDir)
	if err != nil {
		return err
	}
	chainID, err := command.Flags().GetString(genesis.ChainIDFlag)
	if err != nil {
		return err
	}
	conf, err := evcmd.ParseConfig(command)
	if err != nil {
		return err
	}
	passphrase, err := readPassphrase(command, conf)
	if err != nil {
		return err
	}
	proposer, err := evcmd.CreateSigner(command.Context(), &conf, home, passphrase)
	if err != nil {
		return err
	}
	if err := conf.SaveAsYaml(); err != nil {
		return fmt.Errorf("write node config: %w", err)
	}
	if err := evcmd.LoadOrGenNodeKey(home); err != nil {
		return err
	}
	// An existing genesis is the chain's identity and stays.
	err = genesis.CreateGenesis(home, chainID, initialHeight, proposer)
	if err != nil && !errors.Is(err, genesis.ErrGenesisExists) {
		return fmt.Errorf("write genesis: %w", err)
	}
	command.Printf("initialized %s\n", conf.ConfigPath())
	return nil
}

func readPassphrase(command *cobra.Command, conf config.Config) (string, error) {
	file, err := command.Flags().GetString(config.FlagSignerPassphraseFile)
	if err != nil {
		return "", err
	}
	if !conf.Node.Aggregator || conf.Signer.SignerType != "file" {
		return "", nil
	}
	if file == "" {
		return "", fmt.Errorf("an aggregator with a file signer needs --%s", config.FlagSignerPassphraseFile)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read passphrase file: %w", err)
	}
	passphrase := strings.TrimSpace(string(content))
	if passphrase == "" {
		return "", fmt.Errorf("passphrase file %s is empty", file)
	}
	return passphrase, nil
}
