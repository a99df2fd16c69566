package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/embed"
	"github.com/patchscout/patchscout/internal/assistant/index"
	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/assistant/wording"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/outbound"
	"github.com/patchscout/patchscout/internal/report"
)

// meanings are what finds records by nearness, opened when it is first used. The zero value is ready for use.
type meanings struct {
	mu      sync.Mutex
	open    *retrieve.Meaning
	err     error // why it could not be opened,
	not     time.Time
	trouble error // why the last filling ended early
	filling bool
	hide    memo[string, func(string) string]
}

// openPause is how long nobody tries again to open what could not be opened.
const openPause = 30 * time.Second

// embeds says whether embeddings are configured at all.
func embeds(c config.Config) bool {
	return c.Assistant.EmbedDir != "" || c.Assistant.EmbedURL.Reveal() != ""
}

// meaning is what finds by nearness now, nil where nothing is configured, or is elsewhere and nobody accepted that.
func (a *App) meaning(ctx context.Context) (*retrieve.Meaning, error) {
	if !embeds(a.cfg) {
		return nil, nil //nolint:nilnil // there is none
	}
	for _, p := range a.nearPeers() {
		if !p.remote() {
			continue
		}
		if yes, err := a.accepted(ctx, p.name, p.address); err != nil || !yes {
			return nil, err
		}
	}
	m := &a.texts.meanings
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open != nil || m.err != nil && time.Now().Before(m.not) {
		return m.open, m.err
	}
	m.open, m.err = a.openMeaning(ctx)
	if m.err != nil {
		m.not = time.Now().Add(openPause)
		if ctx.Err() != nil { // who asked had no time; that says nothing
			m.not = time.Time{}
		}
	}
	return m.open, m.err
}

// probeText is embedded to learn how many dimensions an endpoint's vectors have.
const probeText = "patchscout"

func (a *App) openMeaning(ctx context.Context) (*retrieve.Meaning, error) {
	model, err := newEmbedder(a.cfg, a.door)
	if err != nil {
		return nil, err
	}
	m := &retrieve.Meaning{Embed: model, Kinds: retrieve.Embedded, Batch: 1}
	if a.cfg.Assistant.EmbedDir == "" {
		m.Batch = endpointBatch
		if raw := a.cfg.Assistant.EmbedURL.Reveal(); !loopback(raw) {
			m.Embed, m.Kinds = hiding{model, a.placeholders}, awayKinds
		}
		if model.Dimensions() == 0 {
			if _, err := model.Embed(ctx, []string{probeText}); err != nil {
				return nil, err
			}
		}
	}
	name, err := a.vectorsName(ctx, model)
	if err != nil {
		return nil, err
	}
	m.Vectors, err = a.openVectors(name, model.Dimensions())
	return m, err
}

// endpointBatch is how many texts go to an endpoint at once. A model on this machine takes one: a question must not wait for many.
const endpointBatch = 16

// awayKinds are the kinds of which texts go to another machine: what hosts and scans say is all about the estate.
var awayKinds = []retrieve.Kind{retrieve.Finding, retrieve.Technique, retrieve.Doc}

// newEmbedder makes the configured model; a folder wins over an address. It goes past the proxy to one on this machine.
func newEmbedder(cfg config.Config, door func(outbound.Config) (*outbound.Client, error)) (embed.Embedder, error) {
	c := cfg.Assistant
	if c.EmbedDir != "" {
		return embed.OpenONNX(c.EmbedDir)
	}
	client, err := beyond(c.EmbedURL.Reveal(), door)
	if err != nil {
		return nil, err
	}
	return embed.NewEndpoint(embed.EndpointConfig{URL: c.EmbedURL.Reveal(), Model: c.EmbedModel, Key: c.EmbedKey.Reveal(), Timeout: peerTimeout, Client: client})
}

// peerTimeout is how long an endpoint or ChromaDB may be silent.
const peerTimeout = 30 * time.Second

// beyond is the way to a server that is not on this machine, nil for one that is.
func beyond(raw string, door func(outbound.Config) (*outbound.Client, error)) (*outbound.Client, error) {
	if loopback(raw) {
		return nil, nil //nolint:nilnil // the usual way
	}
	return door(outbound.Config{Named: []string{raw}, MaxBody: 64 << 20, Idle: peerTimeout})
}

// vectorsName tells vectors of different models and estates apart.
func (a *App) vectorsName(ctx context.Context, model embed.Embedder) (string, error) {
	e := a.store.Estate()
	if err := e.IdentifyTexts(ctx); err != nil {
		return "", err
	}
	state, err := e.TextState(ctx)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s", model.Name(), model.Dimensions(), state.Identity))
	return hex.EncodeToString(sum[:8]), err
}

func (a *App) openVectors(name string, dims int) (index.Index, error) {
	if a.cfg.Assistant.ChromaURL.Reveal() != "" {
		return newChroma(a.cfg, a.door, "patchscout-"+name, dims)
	}
	return index.OpenLocal(filepath.Join(a.vectorsDir(), name), dims)
}

func (a *App) vectorsDir() string { return filepath.Join(a.cfg.DataDir, "text", "vectors") }

func newChroma(cfg config.Config, door func(outbound.Config) (*outbound.Client, error), name string, dims int) (*index.Chroma, error) {
	raw := cfg.Assistant.ChromaURL.Reveal()
	client, err := beyond(raw, door)
	if err != nil {
		return nil, err
	}
	return index.NewChroma(index.ChromaConfig{URL: raw, Token: cfg.Assistant.ChromaToken.Reveal(), Collection: name, Dimensions: dims, Timeout: peerTimeout, Client: client})
}

// closeMeaning lets go of what was opened; it is opened again when it is wanted.
func (a *App) closeMeaning() error {
	m := &a.texts.meanings
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open == nil {
		return nil
	}
	err := m.open.Vectors.Close()
	if model, ok := m.open.Embed.(*embed.ONNX); ok {
		err = errors.Join(err, model.Close())
	}
	m.open = nil
	return err
}

// hiding embeds texts with placeholders for what is the estate's.
type hiding struct {
	embed.Embedder
	with func(context.Context) (func(string) string, error)
}

func (h hiding) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	hide, err := h.with(ctx)
	if err != nil { // whom to hide is not known: nothing is sent
		return nil, err
	}
	hidden := make([]string, len(texts))
	for i, t := range texts {
		hidden[i] = hide(t)
	}
	return h.Embedder.Embed(ctx, hidden)
}

// placeholders hides every name of the estate and its users, whoever asks.
func (a *App) placeholders(ctx context.Context) (func(string) string, error) {
	_, generation, err := a.generations(ctx)
	if err != nil {
		return nil, err
	}
	m := &a.texts.meanings
	if known, ok := m.hide.find(generation, ""); ok {
		return known, nil
	}
	lists, err := a.For(auth.ForSystem()).estateNames(ctx)
	if err != nil {
		return nil, err
	}
	names := nameBook{estate: lists}.hidden()
	users, err := a.store.Estate().Users(ctx, 0, mostUsers)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		names = append(names, wording.Name{Kind: "USER", Text: u.Name})
	}
	hide := wording.Placeholders(names)
	m.hide.keep(generation, "", hide)
	return hide, nil
}

// How often a server looks whether texts changed: at least so long after the last look, twenty times as long as a look takes
// (of 100,000 findings that is seconds), and longer and longer after failures.
const (
	vectorsLook   = 20 * time.Second
	vectorsRest   = 20
	mostVectorsBy = time.Hour
)

// followVectors embeds what changes, as long as the server runs. Without embeddings it does nothing.
func (a *App) followVectors(ctx context.Context) {
	if !embeds(a.cfg) {
		return
	}
	fill, wait := a.texts.finder.Filler(), vectorsLook
	for {
		read, err := a.fillVectors(ctx, fill)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait = min(2*wait, mostVectorsBy)
		default:
			wait = max(vectorsLook, vectorsRest*read)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// fillVectors brings the vectors up to date once, and keeps what went wrong for whoever looks at the settings.
func (a *App) fillVectors(ctx context.Context, fill *retrieve.Filler) (read time.Duration, err error) {
	m := &a.texts.meanings
	m.mu.Lock()
	m.filling = true
	m.mu.Unlock()
	read, err = fill.Pass(ctx)
	m.mu.Lock()
	before := m.trouble
	m.filling, m.trouble = false, err
	m.mu.Unlock()
	if err == nil || ctx.Err() != nil {
		a.sweepVectors()
		return read, err
	}
	if before == nil || before.Error() != err.Error() {
		a.log.WarnContext(ctx, "records are not embedded: they are found by words alone", "error", err)
	}
	return read, errors.Join(err, a.closeMeaning()) // a server that changed, as its vectors do, is met anew
}

// sweepVectors removes the vectors of models that are no longer used.
func (a *App) sweepVectors() {
	m := &a.texts.meanings
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open == nil {
		return
	}
	local, ok := m.open.Vectors.(*index.Local)
	if !ok {
		return
	}
	entries, _ := os.ReadDir(a.vectorsDir())
	for _, e := range entries {
		if path := filepath.Join(a.vectorsDir(), e.Name()); path != local.Dir() {
			_ = os.RemoveAll(path)
		}
	}
}

// nearPeers are those that find by nearness, as they are configured.
func (a *App) nearPeers() []peer {
	c := a.cfg.Assistant
	sends := sendsEmbeddings
	if raw := c.EmbedURL.Reveal(); raw != "" && !loopback(raw) {
		sends = sendsEmbeddingsAway
	}
	embeddings := a.peer(peerEmbeddings, c.EmbedURL.Reveal(), cmp.Or(c.EmbedModel, "feature extraction"), sends)
	embeddings.of = func(s *report.AssistantState) *report.AssistantPeer { return &s.Embeddings }
	if c.EmbedDir != "" {
		embeddings = peer{name: peerEmbeddings, of: embeddings.of, doc: report.AssistantPeer{Name: report.Text(c.EmbedDir)}}
	}
	vectors := a.peer(peerVectors, c.ChromaURL.Reveal(), "ChromaDB", sendsVectors)
	if !embeds(a.cfg) && vectors.doc.Name != "" {
		vectors.doc.Error = "there are no embeddings to keep: assistant.embed_dir and assistant.embed_url are empty"
	}
	vectors.of = func(s *report.AssistantState) *report.AssistantPeer { return &s.Vectors }
	return []peer{embeddings, vectors}
}

// nearState adds to the state of the assistant what embeddings there are and what is wrong with them.
func (a *App) nearState(ctx context.Context, doc *report.AssistantState) {
	if !embeds(a.cfg) {
		return
	}
	ctx, end := context.WithTimeout(ctx, probePatience)
	defer end()
	part := report.AssistantPart{Name: "vectors"}
	open, err := a.meaning(ctx)
	if open != nil {
		part.Records, err = open.Vectors.Len(ctx)
		if doc.Vectors.Error == "" && err != nil {
			doc.Vectors.Error = report.Text(err.Error())
		}
	} else if err != nil {
		doc.Embeddings.Error = report.Text(err.Error())
	}
	m := &a.texts.meanings
	m.mu.Lock()
	defer m.mu.Unlock()
	if doc.Embeddings.Error == "" && doc.Vectors.Error == "" && m.trouble != nil {
		doc.Embeddings.Error = report.Text(m.trouble.Error())
	}
	part.Current = open != nil && err == nil && !m.filling && m.trouble == nil
	doc.Index = append(doc.Index, part)
}
