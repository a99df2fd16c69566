package app

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/llm"
	"github.com/patchscout/patchscout/internal/assistant/wording"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/outbound"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// What peers are called where somebody accepts them, and what is sent to each.
const (
	peerModel      = "model"
	peerEmbeddings = "embeddings"
	peerVectors    = "vectors"

	sendsModel      = "the question, the answer and the records that it rests on"
	sendsModelAway  = "the question, the answer and the public records that it rests on; hosts, addresses, sites and people as placeholders"
	sendsEmbeddings = "questions, titles of findings, names of hosts and what runs there"
	sendsVectors    = "embeddings, which tell something of their texts, and the numbers of records"

	sendsEmbeddingsAway = "questions and titles of findings; hosts, addresses, sites and people as placeholders"
)

// languageModel is the client of the configured model, made when it is first used. The zero value is ready for use.
type languageModel struct {
	once   sync.Once
	client *llm.Client // nil without one
	err    error
}

// model is the configured language model, nil where there is none.
func (a *App) model() (*llm.Client, error) {
	m := &a.asking.model
	m.once.Do(func() { m.client, m.err = newModel(a.cfg, a.door) })
	return m.client, m.err
}

// newModel goes past the proxy to a model on this machine: the proxy's 127.0.0.1 is another.
func newModel(cfg config.Config, door func(outbound.Config) (*outbound.Client, error)) (*llm.Client, error) {
	raw := cfg.LLMURL.Reveal()
	if raw == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	c := llm.Config{URL: raw, Model: cfg.LLMModel, Key: cfg.LLMKey.Reveal(), Timeout: cfg.Assistant.LLMTimeout, Tokens: cfg.Assistant.LLMTokens}
	if loopback(raw) {
		return llm.New(c)
	}
	var err error
	c.Client, err = door(outbound.Config{Named: []string{raw}, MaxBody: 16 << 20, Idle: cfg.Assistant.LLMTimeout})
	if err != nil {
		return nil, err
	}
	c.Proxied = cfg.Outbound.Proxy.Reveal() != ""
	return llm.New(c)
}

// loopback says whether an address is on this machine by what is written: a name may lead elsewhere tomorrow.
func loopback(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().IsLoopback()
	}
	return host == "localhost"
}

// writer words answers, nil where no model may. Not on this machine, it is told nothing of the estate.
func (a *App) writer(ctx context.Context, names nameBook) *wording.Writer {
	client, err := a.model()
	if err != nil || client == nil {
		if err != nil {
			a.log.WarnContext(ctx, "answers are composed without the language model", "error", err)
		}
		return nil
	}
	w := &wording.Writer{Model: client, Tokens: a.cfg.Assistant.LLMTokens}
	if client.Local(ctx) {
		soon, end := context.WithTimeout(ctx, probePatience)
		defer end()
		err := client.Find(soon)
		if err == nil && client.Local(ctx) { // a server here may hand on to a model elsewhere
			return w
		}
		if err != nil { // it will say in the answer what is wrong
			return a.hiding(ctx, w, names)
		}
	}
	if accepted, err := a.accepted(ctx, peerModel, client.URL()); err != nil || !accepted {
		return nil
	}
	return a.hiding(ctx, w, names)
}

// hiding makes a writer that tells nobody a name of the estate or of a user. Where the names cannot be read, nobody is told
// anything.
func (a *App) hiding(ctx context.Context, w *wording.Writer, names nameBook) *wording.Writer {
	users, err := a.store.Estate().Users(ctx, 0, mostUsers)
	if err != nil {
		a.log.WarnContext(ctx, "an answer is composed without the language model: whom to hide from it cannot be read", "error", err)
		return nil
	}
	w.Hide, w.Names = true, names.hidden()
	for _, u := range users {
		w.Names = append(w.Names, wording.Name{Kind: "USER", Text: u.Name})
	}
	if a.who.Name != "" {
		w.Names = append(w.Names, wording.Name{Kind: "USER", Text: a.who.Name})
	}
	return w
}

// mostUsers is how many accounts are hidden by name.
const mostUsers = 10_000

// hidden are the names of the estate that nobody elsewhere is to learn.
func (n nameBook) hidden() (out []wording.Name) {
	for _, h := range n.estate.Hosts {
		for _, name := range h.Names {
			out = append(out, wording.Name{Kind: "HOST", Text: name})
		}
	}
	for _, s := range n.estate.Sites {
		out = append(out, wording.Name{Kind: "SITE", Text: s})
	}
	for _, o := range n.estate.Owners {
		out = append(out, wording.Name{Kind: "USER", Text: o})
	}
	return out
}

// accepted says whether an administrator accepted what is sent to an address.
func (a *App) accepted(ctx context.Context, peer, address string) (bool, error) {
	list, err := a.store.Estate().AssistantConsent(ctx)
	return slices.ContainsFunc(list, func(c store.Consent) bool { return c.Peer == peer && c.URL == address }), err
}

// AssistantState says what helps the assistant and how far its indexes are.
func (a *App) AssistantState(ctx context.Context) (report.AssistantState, error) {
	doc := report.AssistantState{Index: []report.AssistantPart{}, KeepDays: a.cfg.Assistant.KeepDays}
	for _, p := range a.peers(ctx) {
		if p.remote() {
			yes, err := a.accepted(ctx, p.name, p.address)
			if err != nil {
				return doc, err
			}
			p.doc.Accepted = &yes
		}
		*p.of(&doc) = p.doc
	}
	doc.Index = some(a.texts.finder.State(ctx))
	a.nearState(ctx, &doc)
	return doc, nil
}

// peer is something that helps, with the address that is accepted or not.
type peer struct {
	name    string
	address string
	of      func(*report.AssistantState) *report.AssistantPeer
	doc     report.AssistantPeer
}

func (p peer) remote() bool { return p.doc.Remote && p.address != "" }

func (a *App) peers(ctx context.Context) []peer {
	return append([]peer{a.modelPeer(ctx)}, a.nearPeers()...)
}

func (a *App) peer(name, raw, called, sends string) peer {
	if raw == "" {
		return peer{name: name}
	}
	p := peer{name: name, address: withoutSecrets(raw)}
	p.doc = report.AssistantPeer{Name: report.Text(called), URL: report.Text(p.address), Sends: report.Text(sends), Remote: !loopback(raw)}
	return p
}

func (a *App) modelPeer(ctx context.Context) peer {
	p := peer{name: peerModel, of: func(s *report.AssistantState) *report.AssistantPeer { return &s.Model }}
	client, err := a.model()
	if err != nil {
		p.doc = report.AssistantPeer{Name: report.Text(a.cfg.LLMModel), Error: report.Text(err.Error())}
	}
	if client == nil {
		return p
	}
	ctx, end := context.WithTimeout(ctx, probePatience)
	defer end()
	p.address, p.doc.Sends, p.doc.Remote = client.URL(), sendsModel, !client.Local(ctx)
	if !p.doc.Remote { // who is elsewhere is not asked before an administrator accepted it
		if err := client.Find(ctx); err != nil {
			p.doc.Error = report.Text(err.Error())
		}
		p.doc.Remote = !client.Local(ctx)
	}
	if p.doc.Remote {
		p.doc.Sends = sendsModelAway
	}
	p.doc.Name, p.doc.URL = report.Text(client.Name()), report.Text(client.URL())
	return p
}

// probePatience is how long somebody who looks at the settings waits for the model.
const probePatience = 3 * time.Second

// withoutSecrets is an address without what may be a password or key.
func withoutSecrets(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(malformed)"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// AcceptPeers says yes or no to what is sent to machines other than this; nil leaves it as it is. A yes is to the address
// that is configured now.
func (a *App) AcceptPeers(ctx context.Context, model, embeddings, vectors *bool) (report.AssistantState, error) {
	said := map[string]*bool{peerModel: model, peerEmbeddings: embeddings, peerVectors: vectors}
	for _, p := range a.peers(ctx) {
		if said[p.name] == nil {
			continue
		}
		if err := a.acceptPeer(ctx, p, *said[p.name]); err != nil {
			return report.AssistantState{}, err
		}
	}
	return a.AssistantState(ctx)
}

func (a *App) acceptPeer(ctx context.Context, p peer, yes bool) (err error) {
	consent := store.Consent{Peer: p.name, By: a.who.Name, At: a.now().UTC()}
	action := "assistant.refuse"
	if yes {
		action, consent.URL = "assistant.accept", p.address
	}
	defer func() { a.auditEnd(ctx, action, p.name, p.address, err) }()
	switch {
	case !a.who.Role.Allows(auth.Admin):
		return fault.Denied("to accept what is sent to other machines takes the role %s", auth.Admin)
	case yes && p.address == "":
		return fault.Conflict("%s: nothing is configured that something could be sent to", p.name)
	}
	return a.store.Estate().SetAssistantConsent(ctx, consent)
}
