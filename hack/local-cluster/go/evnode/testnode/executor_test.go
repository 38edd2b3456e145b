package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evstack/ev-node/core/execution"
)

func open(t *testing.T, dir string) *executor {
	t.Helper()
	e, err := openExecutor(dir)
	if err != nil {
		t.Fatalf("open executor: %v", err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func execute(t *testing.T, e *executor, height uint64, prev []byte, txs ...string) []byte {
	t.Helper()
	result, err := e.ExecuteTxs(context.Background(), asBytes(txs), height, time.Unix(0, 0), prev)
	if err != nil {
		t.Fatalf("execute block %d: %v", height, err)
	}
	return result.UpdatedStateRoot
}

func asBytes(txs []string) [][]byte {
	list := make([][]byte, len(txs))
	for i, tx := range txs {
		list[i] = []byte(tx)
	}
	return list
}

func expectValue(t *testing.T, e *executor, key, want string) {
	t.Helper()
	if got, _ := e.Value(key); got != want {
		t.Fatalf("value of %q is %q, want %q", key, got, want)
	}
}

func TestSameBlocksGiveSameRootOnTwoNodes(t *testing.T) {
	first, second := open(t, t.TempDir()), open(t, t.TempDir())
	var roots [2][]byte
	for i, e := range []*executor{first, second} {
		one := execute(t, e, 1, nil, "a=1", "b=2")
		roots[i] = execute(t, e, 2, one, "a=3")
	}
	if !bytes.Equal(roots[0], roots[1]) || len(roots[0]) == 0 {
		t.Fatalf("roots %x and %x", roots[0], roots[1])
	}
}

func TestOrderAndBordersOfWritesChangeTheRoot(t *testing.T) {
	roots := map[string][]string{}
	for _, txs := range [][]string{{"a=1", "b=2"}, {"b=2", "a=1"}, {"a=1b", "b=2"}, {"a=1"}} {
		root := execute(t, open(t, t.TempDir()), 1, nil, txs...)
		if other, taken := roots[string(root)]; taken {
			t.Fatalf("%v and %v have the same root", other, txs)
		}
		roots[string(root)] = txs
	}
}

func TestEmptyAndGibberishBlocksKeepTheRoot(t *testing.T) {
	e := open(t, t.TempDir())
	one := execute(t, e, 1, nil, "a=1")
	two := execute(t, e, 2, one)
	three := execute(t, e, 3, two, "no equals sign", "=no key", "\xff=1")
	if !bytes.Equal(one, three) {
		t.Fatalf("root changed from %x to %x", one, three)
	}
}

func TestExecutingAHeightTwiceGivesTheSameRoot(t *testing.T) {
	e := open(t, t.TempDir())
	one := execute(t, e, 1, nil, "a=1")
	first := execute(t, e, 2, one, "a=2")
	if second := execute(t, e, 2, one, "a=2"); !bytes.Equal(first, second) {
		t.Fatalf("roots %x and %x", first, second)
	}
}

func TestABlockThatNeverCameToBeIsUndone(t *testing.T) {
	e := open(t, t.TempDir())
	one := execute(t, e, 1, nil, "a=1")
	execute(t, e, 2, one, "a=lost", "gone=1")
	two := execute(t, e, 2, one, "b=2")
	expectValue(t, e, "a", "1")
	expectValue(t, e, "gone", "")
	expectValue(t, e, "b", "2")
	execute(t, e, 3, two, "c=3")
}

func TestABlockOnAnotherStateIsRefused(t *testing.T) {
	e := open(t, t.TempDir())
	execute(t, e, 1, nil, "a=1")
	_, err := e.ExecuteTxs(context.Background(), asBytes([]string{"a=2"}), 2, time.Unix(0, 0), []byte("other"))
	if err == nil || !strings.Contains(err.Error(), "state root before block 2") {
		t.Fatalf("error is %v", err)
	}
	expectValue(t, e, "a", "1")
}

func TestStateSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	before := open(t, dir)
	one := execute(t, before, 1, nil, "a=1", "b=2")
	two := execute(t, before, 5, one, "a=3")
	after := open(t, dir)
	expectValue(t, after, "a", "3")
	expectValue(t, after, "b", "2")
	execute(t, after, 6, two, "c=4")
}

func TestALineCutByACrashIsDropped(t *testing.T) {
	dir := t.TempDir()
	before := open(t, dir)
	one := execute(t, before, 1, nil, "a=1")
	execute(t, before, 2, one, "a=2")
	file := filepath.Join(dir, "journal")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content[:len(content)-5], 0o644); err != nil {
		t.Fatal(err)
	}
	after := open(t, dir)
	expectValue(t, after, "a", "1")
	execute(t, after, 2, one, "a=2")
	expectValue(t, open(t, dir), "a", "2")
}

func TestADamagedJournalIsReported(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journal"), []byte("{\n{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openExecutor(dir); err == nil || !strings.Contains(err.Error(), "damaged at offset 0") {
		t.Fatalf("error is %v", err)
	}
}

func TestATransactionWaitsUntilABlockExecutesIt(t *testing.T) {
	e := open(t, t.TempDir())
	for _, tx := range []string{"a=1", "b=2", "a=1"} {
		if err := e.Submit(tx); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if txs, _ := e.GetTxs(context.Background()); len(txs) != 2 {
			t.Fatalf("%d transactions wait, want 2", len(txs))
		}
	}
	execute(t, e, 1, nil, "a=1")
	if txs, _ := e.GetTxs(context.Background()); len(txs) != 1 || string(txs[0]) != "b=2" {
		t.Fatalf("transactions %q wait, want b=2", txs)
	}
}

func TestTheMempoolRefusesWhatItCannotKeep(t *testing.T) {
	e := open(t, t.TempDir())
	if err := e.Submit("no equals sign"); !errors.Is(err, errNotKeyValue) {
		t.Fatalf("error is %v", err)
	}
	if err := e.Submit("a=" + strings.Repeat("x", maxTxBytes)); !errors.Is(err, errTxTooLarge) {
		t.Fatalf("error is %v", err)
	}
	for i := range maxPendingTxs {
		if err := e.Submit(strings.Repeat("k", 1+i%3) + "=" + time.Unix(int64(i), 0).UTC().String()); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Submit("one=more"); !errors.Is(err, errMempoolFull) {
		t.Fatalf("error is %v", err)
	}
}

func TestFilterKeepsABatchWithinItsSize(t *testing.T) {
	e := open(t, t.TempDir())
	txs := asBytes([]string{"a=1", "gibberish", "b=22", "c=3", "too=large for any batch"})
	got, err := e.FilterTxs(context.Background(), txs, 7, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	want := []execution.FilterStatus{
		execution.FilterOK, execution.FilterRemove, execution.FilterOK, execution.FilterPostpone, execution.FilterRemove,
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("status of %q is %v, want %v", txs[i], got[i], want[i])
		}
	}
}
