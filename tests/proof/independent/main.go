// Checks a log by Go's own implementation, golang.org/x/mod/sumdb, and makes proofs and a note of it.
//
// Reads one JSON object from standard input and writes one; the tests say what has to be in it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type record struct {
	Index int64
	Leaf  tlog.Hash
	Proof []tlog.Hash
}

type tree struct {
	Old   int64
	Root  tlog.Hash
	Proof []tlog.Hash
}

type question struct {
	Note     string
	Verifier string
	Signer   string
	Folder   string
	Size     int64
	Root     tlog.Hash
	Records  []record
	Trees    []tree
}

type answer struct {
	Text    string
	Signed  string
	Records []record
	Trees   []tree
	Refused []string
}

// files reads tiles from a folder, whose paths do not name the height.
type files string

func (folder files) Height() int { return 8 }

func (folder files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(folder), path))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

func (folder files) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func main() {
	var asked question
	fail(json.NewDecoder(os.Stdin).Decode(&asked))
	var given answer
	given.Text, given.Signed = notes(asked)
	reader := tlog.TileHashReader(tlog.Tree{N: asked.Size, Hash: asked.Root}, files(asked.Folder))
	refuse := func(what string, at int64, err error) {
		if err != nil {
			given.Refused = append(given.Refused, fmt.Sprintf("%s %d: %v", what, at, err))
		}
	}
	for _, each := range asked.Records {
		refuse("record", each.Index, tlog.CheckRecord(each.Proof, asked.Size, asked.Root, each.Index, each.Leaf))
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, each.Index)})
		fail(err)
		proof, err := tlog.ProveRecord(asked.Size, each.Index, reader)
		fail(err)
		given.Records = append(given.Records, record{each.Index, leaf[0], proof})
	}
	for _, each := range asked.Trees {
		refuse("tree", each.Old, tlog.CheckTree(each.Proof, asked.Size, asked.Root, each.Old, each.Root))
		root, err := tlog.TreeHash(each.Old, reader)
		fail(err)
		proof, err := tlog.ProveTree(asked.Size, each.Old, reader)
		fail(err)
		given.Trees = append(given.Trees, tree{each.Old, root, proof})
	}
	fail(json.NewEncoder(os.Stdout).Encode(given))
}

// notes opens the note by its verifier's key, and signs its text by another.
func notes(asked question) (text, signed string) {
	verifier, err := note.NewVerifier(asked.Verifier)
	fail(err)
	opened, err := note.Open([]byte(asked.Note), note.VerifierList(verifier))
	fail(err)
	signer, err := note.NewSigner(asked.Signer)
	fail(err)
	made, err := note.Sign(opened, signer)
	fail(err)
	return opened.Text, string(made)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
