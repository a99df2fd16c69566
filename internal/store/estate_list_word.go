package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"slices"
	"strings"
)

// word is a text that columns hold by its number. uses tells in which of the searched columns it may stand.
type word struct {
	id   uint64
	uses byte
}

// wordBook is the words that a transaction met. Numbers are given in order, without gaps, and words never change.
type wordBook struct {
	tx      *Tx
	known   map[string]word
	last    uint64 // the highest number, read before the first is given
	read    bool   // last was read
	added   []string
	changed map[string]bool // known words with new uses
	blocks  map[uint64]*wordBlock
}

// wordBlockSize is how many words stand together for searching.
const wordBlockSize = 1024

// wordBlock is list_words: line n of body is word n of the block, in lower case; the first block's first line is no word.
type wordBlock struct {
	uses    []byte
	body    []byte
	changed bool
}

func newWordBook(tx *Tx) *wordBook {
	return &wordBook{tx: tx, known: map[string]word{}, changed: map[string]bool{}, blocks: map[uint64]*wordBlock{}}
}

func wordHash(text string) []byte {
	hash := sha256.Sum256([]byte(text))
	return hash[:16]
}

// look finds the numbers of texts that were not met yet; what is no word stays unknown.
func (b *wordBook) look(ctx context.Context, texts []string) error {
	byHash := map[string]string{}
	var hashes []any
	for _, text := range texts {
		if _, known := b.known[text]; known || text == "" {
			continue
		}
		hash := wordHash(text)
		if _, twice := byHash[string(hash)]; !twice {
			byHash[string(hash)] = text
			hashes = append(hashes, hash)
		}
	}
	for chunk := range slices.Chunk(hashes, chunkSize) {
		rows, err := b.tx.Query(ctx, `SELECT id, hash, uses FROM list_word WHERE hash IN (`+Marks(len(chunk))+`)`, chunk...)
		if err != nil {
			return err
		}
		if err := eachRow(rows, func() error {
			var w word
			var hash sql.RawBytes
			err := rows.Scan(&w.id, &hash, &w.uses)
			b.known[byHash[string(hash)]] = w
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// number gives the number of a text that was looked for, a new one if need be; 0 for "". col is where it will stand.
func (b *wordBook) number(ctx context.Context, text string, col listColumn) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	w, known := b.known[text]
	use := useOf(col)
	if known && w.uses&use == use {
		return w.id, nil
	}
	if !known {
		if err := b.readLast(ctx); err != nil {
			return 0, err
		}
		b.last++
		w.id = b.last
		b.added = append(b.added, text)
	}
	w.uses |= use
	b.known[text] = w
	b.changed[text] = true
	return w.id, b.note(ctx, w, text)
}

func (b *wordBook) readLast(ctx context.Context) error {
	if b.read {
		return nil
	}
	b.read = true
	return b.tx.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM list_word`).Scan(&b.last)
}

// note writes a word into its block.
func (b *wordBook) note(ctx context.Context, w word, text string) error {
	block, err := b.block(ctx, w.id/wordBlockSize)
	if err != nil {
		return err
	}
	block.changed = true
	at := int(w.id % wordBlockSize) //nolint:gosec // small
	if at < len(block.uses) {
		block.uses[at] = w.uses
		return nil
	}
	block.uses = append(block.uses, w.uses)
	block.body = append(append(block.body, searchable(text)...), '\n')
	return nil
}

func searchable(text string) string { return strings.ToLower(strings.ReplaceAll(text, "\n", " ")) }

func (b *wordBook) block(ctx context.Context, n uint64) (*wordBlock, error) {
	if block := b.blocks[n]; block != nil {
		return block, nil
	}
	block := &wordBlock{}
	rows, err := b.tx.Query(ctx, `SELECT uses, body FROM list_words WHERE block = ?`, n)
	if err != nil {
		return nil, err
	}
	if err := eachRow(rows, func() error { return rows.Scan(&block.uses, &block.body) }); err != nil {
		return nil, err
	}
	if n == 0 && len(block.uses) == 0 {
		block.uses, block.body = []byte{0}, []byte{'\n'}
	}
	b.blocks[n] = block
	return block, nil
}

// save writes what is new.
func (b *wordBook) save(ctx context.Context) error {
	if len(b.changed) == 0 {
		return nil
	}
	words := &bulk{table: "list_word", columns: []string{"id", "hash", "uses", "body"}, key: []string{"id"}}
	for text := range b.changed {
		w := b.known[text]
		words.add(w.id, wordHash(text), int(w.uses), text)
	}
	if err := words.flush(ctx, b.tx); err != nil {
		return err
	}
	for n, block := range b.blocks {
		if !block.changed {
			continue
		}
		block.changed = false
		if _, err := b.tx.Exec(ctx, `INSERT INTO list_words (block, uses, body) VALUES (?, ?, ?)
			ON CONFLICT (block) DO UPDATE SET uses = excluded.uses, body = excluded.body`, n, block.uses, block.body); err != nil {
			return err
		}
	}
	clear(b.changed)
	b.added = nil
	return nil
}

// find returns the number of a word, 0 when no finding has it.
func (b *wordBook) find(ctx context.Context, text string) (uint64, error) {
	err := b.look(ctx, []string{text})
	return b.known[text].id, err
}

// search calls fn for every word with one of the uses that has the needle, which is in lower case, in it.
func (b *wordBook) search(ctx context.Context, needle string, uses byte, fn func(word)) error {
	visit := func(n uint64, block *wordBlock) {
		for at := range matchingLines(block.body, []byte(needle)) {
			if at < len(block.uses) && block.uses[at]&uses != 0 {
				fn(word{n*wordBlockSize + uint64(at), block.uses[at]}) //nolint:gosec // not negative
			}
		}
	}
	rows, err := b.tx.Query(ctx, `SELECT block, uses, body FROM list_words`)
	if err != nil {
		return err
	}
	if err := eachRow(rows, func() error {
		var n uint64
		var u, body sql.RawBytes
		if err := rows.Scan(&n, &u, &body); err != nil || b.blocks[n] != nil {
			return err
		}
		visit(n, &wordBlock{uses: u, body: body})
		return nil
	}); err != nil {
		return err
	}
	for n, block := range b.blocks {
		visit(n, block)
	}
	return nil
}

// matchingLines yields the numbers of the lines that hold a needle.
func matchingLines(body, needle []byte) func(func(int) bool) {
	return func(yield func(int) bool) {
		line := 0
		for {
			i := bytes.Index(body, needle)
			if i < 0 || len(needle) == 0 {
				return
			}
			line += bytes.Count(body[:i], []byte{'\n'})
			if !yield(line) {
				return
			}
			end := bytes.IndexByte(body[i:], '\n')
			if end < 0 {
				return
			}
			body = body[i+end+1:]
			line++
		}
	}
}

// texts returns the texts of words by number.
func (b *wordBook) texts(ctx context.Context, ids []uint64) (map[uint64]string, error) {
	out := make(map[uint64]string, len(ids))
	for _, text := range b.added {
		out[b.known[text].id] = text
	}
	for chunk := range slices.Chunk(ids, chunkSize) {
		rows, err := b.tx.Query(ctx, `SELECT id, body FROM list_word WHERE id IN (`+Marks(len(chunk))+`)`, anys(chunk)...) //nolint:sqlclosecheck // eachRow closes them
		if err != nil {
			return nil, err
		}
		if err := eachRow(rows, func() error {
			var id uint64
			var text string
			err := rows.Scan(&id, &text)
			out[id] = text
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}
