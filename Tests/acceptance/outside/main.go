// Looks at a ledger from outside, with nothing of Conurb's code: Go's own notes and tree (golang.org/x/mod/sumdb), as the Go checksum
// database is verified by. Only the paths of tiles and the co-signatures of witnesses are mapped here, since C2SP writes them differently.
//
//	outside verify -key KEY [-witness KEY] [-older FILE] [-keep FILE] URL
//	outside forge -secret KEYFILE FOLDER < LEAVES
//
// verify ends with 0 and says what it accepted, or with 3 and says why it refused. forge is what somebody could do who has stolen the
// ledger's key: it writes a whole log, as files, over any leaves (a line of JSON with their bytes in base64).
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8
const full = 1 << height

func main() {
	if len(os.Args) < 2 {
		fail("verify or forge")
	}
	var err error
	switch os.Args[1] {
	case "verify":
		err = verify(os.Args[2:])
	case "forge":
		err = forge(os.Args[2:])
	default:
		fail("verify or forge")
	}
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(3)
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}

// ---- The log over HTTP

type log struct{ prefix string }

func (l log) get(path string) ([]byte, error) {
	answer, err := http.Get(l.prefix + "/" + path)
	if err != nil {
		fail(err.Error())
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != 200 {
		return nil, fmt.Errorf("%s: status %d", path, answer.StatusCode)
	}
	return body, nil
}

// C2SP leaves the height out, which is always 8.
func path(t tlog.Tile) string { return "tile/" + strings.TrimPrefix(t.Path(), "tile/8/") }

func (l log) Height() int { return height }
func (l log) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := l.get(path(tile))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}
func (l log) SaveTiles([]tlog.Tile, [][]byte) {}

func (l log) leaves(size int64) ([][]byte, error) {
	var all [][]byte
	for start := int64(0); start < size; start += full {
		width := size - start
		if width > full {
			width = full
		}
		bundle := tlog.Tile{H: height, L: 0, N: start / full, W: int(width)}
		data, err := l.get("tile/entries" + strings.TrimPrefix(path(bundle), "tile/0"))
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < width; i++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("the bundle at %d ends early", start)
			}
			length := int(binary.BigEndian.Uint16(data))
			all, data = append(all, data[2:2+length]), data[2+length:]
		}
		if len(data) > 0 {
			return nil, fmt.Errorf("the bundle at %d has more than it should", start)
		}
	}
	return all, nil
}

// ---- Who signed

// A witness signs a header with the time before the checkpoint (C2SP tlog-cosignature).
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	time *int64
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	*w.time = int64(binary.BigEndian.Uint64(signature))
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", *w.time, text)
	return ed25519.Verify(w.key, []byte(message), signature[8:])
}

func newWitness(text string) (witness, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 {
		return witness{}, fmt.Errorf("the witness's key is none")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return witness{}, fmt.Errorf("the witness's key is no key for co-signatures")
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	hash := binary.BigEndian.Uint32(digest[:])
	if fmt.Sprintf("%08x", hash) != parts[1] {
		return witness{}, fmt.Errorf("the witness's key has another ID")
	}
	return witness{parts[0], hash, ed25519.PublicKey(key[1:]), new(int64)}, nil
}

// checkpoint reads a signed tree, once all keys that are known have signed it.
func checkpoint(text []byte, keys []note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(text, note.VerifierList(keys...))
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(opened.Sigs) != len(keys) {
		return tlog.Tree{}, fmt.Errorf("%d of %d keys signed it", len(opened.Sigs), len(keys))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != keys[0].Name() {
		return tlog.Tree{}, fmt.Errorf("it is no checkpoint of %s", keys[0].Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// ---- verify

func verify(arguments []string) error {
	flags := flag.NewFlagSet("verify", flag.ExitOnError)
	key := flags.String("key", "", "the ledger's key")
	cosigner := flags.String("witness", "", "a witness's key; it must have signed")
	older := flags.String("older", "", "a file with a checkpoint that was accepted before")
	keep := flags.String("keep", "", "a file to keep the accepted checkpoint in")
	flags.Parse(arguments)
	log := log{strings.TrimSuffix(flags.Arg(0), "/")}

	verifier, err := note.NewVerifier(*key)
	if err != nil {
		return err
	}
	keys := []note.Verifier{verifier}
	var seen *int64
	if *cosigner != "" {
		witness, err := newWitness(*cosigner)
		if err != nil {
			return err
		}
		keys, seen = append(keys, witness), witness.time
	}
	text, err := log.get("checkpoint")
	if err != nil {
		return err
	}
	tree, err := checkpoint(text, keys)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	hashes := tlog.TileHashReader(tree, log)
	if *older != "" {
		kept, err := os.ReadFile(*older)
		if err != nil {
			fail(err.Error())
		}
		before, err := checkpoint(kept, keys[:1])
		if err != nil {
			return err
		}
		if before.N > tree.N {
			return fmt.Errorf("truncated: %d leaves where there were %d", tree.N, before.N)
		}
		proof, err := tlog.ProveTree(tree.N, before.N, hashes)
		if err != nil {
			return fmt.Errorf("no proof that the tree of %d leaves is in it: %w", before.N, err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash); err != nil {
			return fmt.Errorf("forked: the tree of %d leaves is not in it: %w", before.N, err)
		}
	}
	leaves, err := log.leaves(tree.N)
	if err != nil {
		return err
	}
	last := int64(0)
	for i, leaf := range leaves {
		proof, err := tlog.ProveRecord(tree.N, int64(i), hashes)
		if err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(i), tlog.RecordHash(leaf)); err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
		var at int64
		if _, err := fmt.Sscanf(string(leaf), "conurb ledger 1\n%d\n", &at); err != nil {
			return fmt.Errorf("leaf %d: it says no time", i)
		}
		if at < last {
			return fmt.Errorf("back-dated: leaf %d is of %d, after one of %d", i, at, last)
		}
		last = at
	}
	if root, err := tlog.TreeHash(tree.N, hashes); err != nil || root != tree.Hash {
		return fmt.Errorf("the tiles make another root: %v", err)
	}
	if seen != nil && (*seen*1000+999 < last || *seen > time.Now().Unix()+60) {
		return fmt.Errorf("the witness saw it at %d, its last act is of %d", *seen, last)
	}
	if *keep != "" {
		if err := os.WriteFile(*keep, text, 0o600); err != nil {
			fail(err.Error())
		}
	}
	fmt.Printf("accepted: %d leaves\n", tree.N)
	return nil
}

// ---- forge

type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, index := range indexes {
		all = append(all, m[index])
	}
	return all, nil
}

func forge(arguments []string) error {
	flags := flag.NewFlagSet("forge", flag.ExitOnError)
	secret := flags.String("secret", "", "the file of keys")
	flags.Parse(arguments)
	folder := flags.Arg(0)
	var keys struct{ Origin, Ledger string }
	data, err := os.ReadFile(*secret)
	if err != nil {
		fail(err.Error())
	}
	if err := json.Unmarshal(data, &keys); err != nil {
		fail(err.Error())
	}
	seed, err := base64.StdEncoding.DecodeString(keys.Ledger)
	if err != nil {
		fail(err.Error())
	}
	signer, err := newSigner(keys.Origin, seed)
	if err != nil {
		fail(err.Error())
	}

	var hashes memory
	var leaves [][]byte
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		leaf, err := base64.StdEncoding.DecodeString(strings.Trim(lines.Text(), "\""))
		if err != nil {
			fail(err.Error())
		}
		more, err := tlog.StoredHashes(int64(len(leaves)), leaf, hashes)
		if err != nil {
			fail(err.Error())
		}
		hashes, leaves = append(hashes, more...), append(leaves, leaf)
	}
	size := int64(len(leaves))
	for _, tile := range tlog.NewTiles(height, 0, size) {
		data, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			fail(err.Error())
		}
		write(filepath.Join(folder, path(tile)), data)
		if tile.L == 0 {
			var bundle bytes.Buffer
			for _, leaf := range leaves[tile.N*full : tile.N*full+int64(tile.W)] {
				binary.Write(&bundle, binary.BigEndian, uint16(len(leaf)))
				bundle.Write(leaf)
			}
			write(filepath.Join(folder, "tile/entries"+strings.TrimPrefix(path(tile), "tile/0")), bundle.Bytes())
		}
	}
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		fail(err.Error())
	}
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", keys.Origin, size, root)}, signer)
	if err != nil {
		fail(err.Error())
	}
	write(filepath.Join(folder, "checkpoint"), signed)
	return nil
}

func newSigner(origin string, seed []byte) (note.Signer, error) {
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	digest := sha256.Sum256(append([]byte(origin+"\n\x01"), public...))
	hash := binary.BigEndian.Uint32(digest[:])
	key := base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))
	return note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", origin, hash, key))
}

func write(name string, data []byte) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		fail(err.Error())
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		fail(err.Error())
	}
}
