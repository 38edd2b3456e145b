package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/evstack/ev-node/core/execution"
)

const (
	maxPendingTxs = 10_000
	maxTxBytes    = 64 << 10
)

var (
	errMempoolFull = errors.New("mempool is full")
	errNotKeyValue = errors.New("a transaction is key=value with a key that is not empty")
	errTxTooLarge  = fmt.Errorf("a transaction has at most %d bytes", maxTxBytes)

	_ execution.Executor = (*executor)(nil)
)

// executor is a key-value execution layer: a transaction is `key=value` and sets
// one key. The state root is a hash chain over all writes, so it costs the same
// whatever the size of the state, and two nodes have equal roots only when they
// made equal writes in equal order.
//
// A block may be executed again: a leader that lost its leadership has executed a
// block that never came to be, and a node that died between execution and commit
// executes it a second time. ExecuteTxs(h) therefore first undoes everything from
// height h on. Like upstream's testapp it has no height provider, so ev-node does
// no replay checks against it.
type executor struct {
	mu      sync.Mutex
	journal *journal
	values  map[string]string
	// pending holds transactions until a block executes them, in order of arrival.
	pending     []string
	pendingKnow map[string]struct{}
}

func openExecutor(dir string) (*executor, error) {
	opened, err := openJournal(dir)
	if err != nil {
		return nil, err
	}
	e := &executor{journal: opened, pendingKnow: map[string]struct{}{}}
	e.rebuild()
	return e, nil
}

func (e *executor) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.journal.file.Close()
}

// Submit adds a transaction to the mempool. The same transaction twice is one
// until it is executed.
func (e *executor) Submit(tx string) error {
	if len(tx) > maxTxBytes {
		return errTxTooLarge
	}
	if _, _, ok := parseTx([]byte(tx)); !ok {
		return errNotKeyValue
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, known := e.pendingKnow[tx]; known {
		return nil
	}
	if len(e.pending) >= maxPendingTxs {
		return errMempoolFull
	}
	e.pending = append(e.pending, tx)
	e.pendingKnow[tx] = struct{}{}
	return nil
}

// Value answers what the last executed block left under a key.
func (e *executor) Value(key string) (string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	value, found := e.values[key]
	return value, found
}

// Values answers a copy of the whole state.
func (e *executor) Values() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.values)
}

// InitChain has nothing to set up: the root of the empty state is empty. It has to
// be, because a fresh follower that recovers from raft executes block 1 without
// InitChain and takes the state before it to be empty.
func (e *executor) InitChain(_ context.Context, _ time.Time, initialHeight uint64, _ string) ([]byte, error) {
	if initialHeight == 0 {
		return nil, errors.New("initial height is 0, expected at least 1")
	}
	return []byte{}, nil
}

// GetTxs leaves the transactions in the mempool: the sequencer drops what it
// already has, and a batch that it could not take comes again.
func (e *executor) GetTxs(context.Context) ([][]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	txs := make([][]byte, len(e.pending))
	for i, tx := range e.pending {
		txs[i] = []byte(tx)
	}
	return txs, nil
}

func (e *executor) ExecuteTxs(_ context.Context, txs [][]byte, height uint64, _ time.Time, prevRoot []byte) (execution.ExecuteResult, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.undoFrom(height); err != nil {
		return execution.ExecuteResult{}, err
	}
	root := e.root()
	if !bytes.Equal(root, prevRoot) {
		return execution.ExecuteResult{}, fmt.Errorf("state root before block %d is %x, the block expects %x", height, root, prevRoot)
	}
	writes := writesOf(txs)
	if len(writes) > 0 {
		root = chainRoot(root, writes)
		if err := e.journal.append(record{Height: height, Root: root, Writes: writes}); err != nil {
			return execution.ExecuteResult{}, err
		}
		e.apply(writes)
	}
	e.forget(txs)
	return execution.ExecuteResult{UpdatedStateRoot: root}, nil
}

func (e *executor) SetFinal(context.Context, uint64) error { return nil }

func (e *executor) GetExecutionInfo(context.Context) (execution.ExecutionInfo, error) {
	return execution.ExecutionInfo{}, nil
}

func (e *executor) FilterTxs(_ context.Context, txs [][]byte, maxBytes, _ uint64, _ bool) ([]execution.FilterStatus, error) {
	statuses := make([]execution.FilterStatus, len(txs))
	var total uint64
	for i, tx := range txs {
		size := uint64(len(tx))
		if _, _, ok := parseTx(tx); !ok || (maxBytes > 0 && size > maxBytes) {
			statuses[i] = execution.FilterRemove
			continue
		}
		if maxBytes > 0 && total+size > maxBytes {
			statuses[i] = execution.FilterPostpone
			continue
		}
		total += size
	}
	return statuses, nil
}

// root answers the state root after the last executed block.
func (e *executor) root() []byte {
	if len(e.journal.records) == 0 {
		return []byte{}
	}
	return e.journal.records[len(e.journal.records)-1].Root
}

// undoFrom removes all blocks from height on.
func (e *executor) undoFrom(height uint64) error {
	keep := len(e.journal.records)
	for keep > 0 && e.journal.records[keep-1].Height >= height {
		keep--
	}
	if keep == len(e.journal.records) {
		return nil
	}
	if err := e.journal.cut(keep); err != nil {
		return err
	}
	e.rebuild()
	return nil
}

func (e *executor) rebuild() {
	e.values = map[string]string{}
	for _, entry := range e.journal.records {
		e.apply(entry.Writes)
	}
}

func (e *executor) apply(writes [][2]string) {
	for _, write := range writes {
		e.values[write[0]] = write[1]
	}
}

func (e *executor) forget(txs [][]byte) {
	if len(e.pending) == 0 {
		return
	}
	for _, tx := range txs {
		delete(e.pendingKnow, string(tx))
	}
	kept := e.pending[:0]
	for _, tx := range e.pending {
		if _, waits := e.pendingKnow[tx]; waits {
			kept = append(kept, tx)
		}
	}
	e.pending = kept
}

func writesOf(txs [][]byte) [][2]string {
	var writes [][2]string
	for _, tx := range txs {
		if key, value, ok := parseTx(tx); ok {
			writes = append(writes, [2]string{key, value})
		}
	}
	return writes
}

// parseTx refuses text that is not UTF-8, because the journal is JSON and would
// change it.
func parseTx(tx []byte) (key, value string, ok bool) {
	if !utf8.Valid(tx) {
		return "", "", false
	}
	key, value, ok = strings.Cut(strings.TrimSpace(string(tx)), "=")
	return key, value, ok && key != ""
}

// chainRoot prefixes each part with its length, so that no two lists of writes
// hash alike.
func chainRoot(previous []byte, writes [][2]string) []byte {
	hash := sha256.New()
	hash.Write(previous)
	for _, write := range writes {
		for _, part := range write {
			var size [8]byte
			binary.BigEndian.PutUint64(size[:], uint64(len(part)))
			hash.Write(size[:])
			hash.Write([]byte(part))
		}
	}
	return hash.Sum(nil)
}
