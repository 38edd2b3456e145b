// Command raftcheck is test infrastructure: it opens and writes raft directories with the very libraries that
// ev-node uses, so that the operator's own writer and reader of these files can be compared with them.
//
//	raftcheck membership DIR                        print what the library finds in DIR, as JSON
//	raftcheck bootstrap DIR ID@ADDRESS...           bootstrap DIR by the library, for any addresses
//	raftcheck start DIR ID ADDRESS [ID@ADDRESS...]  let ev-node's own raft node bootstrap or open DIR
//	raftcheck grow DIR COUNT                        append COUNT log entries, so that the file gets branch pages
//	raftcheck truncate DIR INDEX                    delete the log entries up to INDEX, as a snapshot does
//	raftcheck blocks DIR FROM TO                    append what a leader logs for these blocks: barrier, barrier, block
//	raftcheck last DIR                              print the height of the last block in the log and its number of entries
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	evraft "github.com/evstack/ev-node/pkg/raft"
	pb "github.com/evstack/ev-node/types/pb/evnode/v1"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb"
	"github.com/rs/zerolog"
	"google.golang.org/protobuf/proto"
)

type member struct {
	ID       string `json:"id"`
	Address  string `json:"address"`
	Suffrage string `json:"suffrage"`
}

type view struct {
	Members     []member `json:"members"`
	CurrentTerm uint64   `json:"currentTerm"`
	FirstIndex  uint64   `json:"firstIndex"`
	LastIndex   uint64   `json:"lastIndex"`
}

// stores are the files of one raft directory, opened as ev-node opens them.
type stores struct {
	log, stable *raftboltdb.BoltStore
	snapshots   *raft.FileSnapshotStore
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "raftcheck:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("expected a command and a directory")
	}
	command, dir, rest := args[0], args[1], args[2:]
	switch command {
	case "membership":
		return withStores(dir, printView)
	case "bootstrap":
		return withStores(dir, func(s *stores) error { return bootstrap(s, rest) })
	case "start":
		return start(dir, rest)
	case "grow":
		return withStores(dir, func(s *stores) error { return grow(s.log, rest) })
	case "blocks":
		return withStores(dir, func(s *stores) error { return appendBlocks(s.log, rest) })
	case "last":
		return withStores(dir, func(s *stores) error { return printLastBlock(s.log) })
	case "truncate":
		return withStores(dir, func(s *stores) error { return truncate(s.log, rest) })
	default:
		return fmt.Errorf("unknown command %q", command)
	}
}

func withStores(dir string, use func(*stores) error) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	log, err := raftboltdb.NewBoltStore(filepath.Join(dir, "raft-log.db"))
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer log.Close()
	stable, err := raftboltdb.NewBoltStore(filepath.Join(dir, "raft-stable.db"))
	if err != nil {
		return fmt.Errorf("open stable store: %w", err)
	}
	defer stable.Close()
	snapshots, err := raft.NewFileSnapshotStore(dir, 3, io.Discard)
	if err != nil {
		return fmt.Errorf("open snapshots: %w", err)
	}
	return use(&stores{log, stable, snapshots})
}

func printView(s *stores) error {
	_, transport := raft.NewInmemTransport("raftcheck")
	configuration, err := raft.GetConfiguration(libraryConfig("raftcheck"), nothing{}, s.log, s.stable, s.snapshots, transport)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	seen := view{Members: []member{}}
	for _, server := range configuration.Servers {
		seen.Members = append(seen.Members, member{string(server.ID), string(server.Address), server.Suffrage.String()})
	}
	if seen.CurrentTerm, err = s.stable.GetUint64([]byte("CurrentTerm")); err != nil {
		return fmt.Errorf("read current term: %w", err)
	}
	if seen.FirstIndex, err = s.log.FirstIndex(); err != nil {
		return err
	}
	if seen.LastIndex, err = s.log.LastIndex(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(seen)
}

func bootstrap(s *stores, members []string) error {
	var configuration raft.Configuration
	for _, entry := range members {
		id, address, found := strings.Cut(entry, "@")
		if !found {
			return fmt.Errorf("expected ID@ADDRESS, found %q", entry)
		}
		configuration.Servers = append(configuration.Servers, raft.Server{ID: raft.ServerID(id), Address: raft.ServerAddress(address)})
	}
	_, transport := raft.NewInmemTransport("raftcheck")
	return raft.BootstrapCluster(libraryConfig("raftcheck"), s.log, s.stable, s.snapshots, transport, configuration)
}

// start runs ev-node's own raft node for a moment: it bootstraps an empty directory and opens an existing one.
func start(dir string, args []string) error {
	if len(args) < 2 {
		return errors.New("expected ID and ADDRESS")
	}
	node, err := evraft.NewNode(&evraft.Config{
		NodeID:             args[0],
		RaftAddr:           args[1],
		RaftDir:            dir,
		Peers:              args[2:],
		SnapCount:          3,
		SendTimeout:        200 * time.Millisecond,
		HeartbeatTimeout:   350 * time.Millisecond,
		LeaderLeaseTimeout: 175 * time.Millisecond,
		ElectionTimeout:    time.Second,
	}, zerolog.New(os.Stderr))
	if err != nil {
		return err
	}
	return errors.Join(node.Start(context.Background()), node.Stop())
}

// grow appends entries of the size that blocks have, one transaction each, as a leader does.
func grow(log *raftboltdb.BoltStore, args []string) error {
	count, err := number(args)
	if err != nil {
		return err
	}
	last, err := log.LastIndex()
	if err != nil {
		return err
	}
	for index := last + 1; index <= last+count; index++ {
		entry := raft.Log{Index: index, Term: 2, Type: raft.LogCommand, Data: bytes.Repeat([]byte{byte(index)}, 700), AppendedAt: time.Unix(1_700_000_000, 0)}
		if err := log.StoreLog(&entry); err != nil {
			return err
		}
	}
	return nil
}

// appendBlocks appends entries as ev-node's leader does: two barriers and the block itself, each for every block.
func appendBlocks(log *raftboltdb.BoltStore, args []string) error {
	if len(args) != 2 {
		return errors.New("expected FROM and TO")
	}
	from, err := number(args[:1])
	if err != nil {
		return err
	}
	to, err := number(args[1:])
	if err != nil {
		return err
	}
	index, err := log.LastIndex()
	if err != nil {
		return err
	}
	for height := from; height <= to; height++ {
		block, err := proto.Marshal(&pb.RaftBlockState{
			Height: height, Hash: bytes.Repeat([]byte{byte(height)}, 32), Timestamp: height,
			Header: bytes.Repeat([]byte{1}, 400), Data: bytes.Repeat([]byte{2}, int(height%7)*900),
		})
		if err != nil {
			return err
		}
		for _, entry := range []raft.Log{{Type: raft.LogBarrier}, {Type: raft.LogBarrier}, {Type: raft.LogCommand, Data: block}} {
			index++
			entry.Index, entry.Term, entry.AppendedAt = index, 2, time.Unix(1_700_000_000, 0)
			if err := log.StoreLog(&entry); err != nil {
				return err
			}
		}
	}
	return nil
}

// printLastBlock reads every entry of the log, so that a gap or a damaged one is an error.
func printLastBlock(log *raftboltdb.BoltStore) error {
	first, err := log.FirstIndex()
	if err != nil {
		return err
	}
	last, err := log.LastIndex()
	if err != nil {
		return err
	}
	seen := struct {
		Height  uint64 `json:"height"`
		Entries uint64 `json:"entries"`
	}{}
	for index := first; index <= last; index++ {
		var entry raft.Log
		if err := log.GetLog(index, &entry); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		seen.Entries++
		if entry.Type != raft.LogCommand {
			continue
		}
		var state pb.RaftBlockState
		if err := proto.Unmarshal(entry.Data, &state); err != nil {
			return err
		}
		seen.Height = state.Height
	}
	return json.NewEncoder(os.Stdout).Encode(seen)
}

func truncate(log *raftboltdb.BoltStore, args []string) error {
	index, err := number(args)
	if err != nil {
		return err
	}
	return log.DeleteRange(1, index)
}

func number(args []string) (uint64, error) {
	if len(args) != 1 {
		return 0, errors.New("expected one number")
	}
	return strconv.ParseUint(args[0], 10, 64)
}

func libraryConfig(id string) *raft.Config {
	config := raft.DefaultConfig()
	config.LocalID = raft.ServerID(id)
	config.LogOutput = io.Discard
	return config
}

// nothing is a state machine that holds nothing: only the membership is of interest.
type nothing struct{}

func (nothing) Apply(*raft.Log) any                 { return nil }
func (nothing) Snapshot() (raft.FSMSnapshot, error) { return nil, errors.New("no snapshots here") }
func (nothing) Restore(source io.ReadCloser) error  { return source.Close() }
