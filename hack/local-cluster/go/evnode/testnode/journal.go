package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// record is one line of the journal: a block that wrote something.
type record struct {
	Height uint64      `json:"height"`
	Root   []byte      `json:"root"`
	Writes [][2]string `json:"writes"`
}

// journal is the executor's only state on disk: an append-only file of records
// with rising heights. A block without writes leaves no record and costs no disk
// access. Blocks are undone by cutting the file.
type journal struct {
	file    *os.File
	records []record
	// ends[i] is the file offset behind records[i].
	ends []int64
}

func openJournal(dir string) (*journal, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create executor directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &journal{file: file}
	if err := j.load(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

// load reads all complete lines. A last line without its newline was being written
// when the process died; nobody has seen its root, so it is cut off.
func (j *journal) load() error {
	reader := bufio.NewReader(j.file)
	var offset int64
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return j.cutFile(offset)
		}
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		var entry record
		if err := json.Unmarshal(line, &entry); err != nil {
			return fmt.Errorf("journal is damaged at offset %d: %w", offset, err)
		}
		offset += int64(len(line))
		j.records = append(j.records, entry)
		j.ends = append(j.ends, offset)
	}
}

func (j *journal) append(entry record) error {
	line, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("encode journal record: %w", err)
	}
	line = append(line, '\n')
	if _, err := j.file.Write(line); err != nil {
		return fmt.Errorf("append to journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("sync journal: %w", err)
	}
	j.records = append(j.records, entry)
	j.ends = append(j.ends, j.end()+int64(len(line)))
	return nil
}

// cut keeps the first count records.
func (j *journal) cut(count int) error {
	j.records = j.records[:count]
	j.ends = j.ends[:count]
	return j.cutFile(j.end())
}

func (j *journal) cutFile(offset int64) error {
	if err := j.file.Truncate(offset); err != nil {
		return fmt.Errorf("cut journal: %w", err)
	}
	if _, err := j.file.Seek(offset, io.SeekStart); err != nil {
		return fmt.Errorf("seek in journal: %w", err)
	}
	return nil
}

func (j *journal) end() int64 {
	if len(j.ends) == 0 {
		return 0
	}
	return j.ends[len(j.ends)-1]
}
