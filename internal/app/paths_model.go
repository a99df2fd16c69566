package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/fault"
)

// Attack paths are worked out on what was read and built before, as long as it holds:
//
//	view, scan         --read-->   pathEstate   hosts, services, flaws with their effects
//	... + assumptions  --build-->  pathModel    the Network, and the graph that answers questions of it
//
// When somebody wrote meanwhile, the estate is read again; where only a few hosts differ, they are replaced in the model.

// How much is kept, and how long one may take to make it.
const (
	keptEstates = 3
	keptModels  = 4
	keptActions = 3_000_000 // of all models together; an action with its facts is some hundred bytes
	buildTime   = 2 * time.Minute
)

// pathService is what attack paths keep of what was asked before. Its zero value is ready for use; safe for concurrent use.
type pathService struct {
	mu      sync.Mutex
	estates []*keptEstate // the one asked last first
	models  []*pathModel  // likewise
	making  map[string]*making
	ending  context.Context // nil before anything was made
	end     context.CancelFunc
	work    sync.WaitGroup
	asking  chan struct{} // a place for each question that is answered
	turns   chan struct{} // a place for each thing in the making that is being made
}

type keptEstate struct {
	key    string
	estate *pathEstate
}

// pathModel is the model of one scenario of what one view sees.
type pathModel struct {
	key   string
	graph *graph.Graph

	mu     sync.RWMutex // held for writing while hosts are replaced, for reading by each question
	estate *pathEstate
	model  *attackpath.Model

	answers answers
}

// making is something in the making, for all who ask for it.
type making struct {
	done   chan struct{}
	result any
	err    error

	asking int // who waits for it
	begun  bool
	cancel context.CancelFunc
}

// makingAtOnce bounds what is made at the same time: each holds an estate or a model that nobody has yet, also when whoever
// asked is gone.
const makingAtOnce = 2

// once makes something for all who ask at the same time, in the background: who asked first may give up. It ends with the
// service, or after buildTime; what has to wait for its turn ends when nobody waits for it any more.
func (p *pathService) once(ctx context.Context, key string, work func(context.Context) (any, error)) (any, error) {
	m, err := p.begin(ctx, key, work)
	if err != nil {
		return nil, err
	}
	select {
	case <-m.done:
		return m.result, m.err
	case <-ctx.Done():
		p.giveUp(key, m)
		return nil, ctx.Err()
	}
}

// giveUp is for who waits no longer.
func (p *pathService) giveUp(key string, m *making) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.asking--; m.asking > 0 || m.begun {
		return
	}
	m.cancel()
	if p.making[key] == m {
		delete(p.making, key) // whoever asks now begins anew
	}
}

// turn waits until something in the making may be made.
func (p *pathService) turn(ctx context.Context, m *making) error {
	select {
	case p.turns <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil { // both came at once
		<-p.turns
		return ctx.Err()
	}
	m.begun = true
	return nil
}

func (p *pathService) begin(ctx context.Context, key string, work func(context.Context) (any, error)) (*making, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.making[key]; m != nil {
		m.asking++
		return m, nil
	}
	if p.ending == nil {
		p.ending, p.end = context.WithCancel(context.Background())
		p.making = map[string]*making{}
	}
	if p.ending.Err() != nil {
		return nil, fault.Unavailable("the product is being closed")
	}
	if p.turns == nil {
		p.turns = make(chan struct{}, makingAtOnce)
	}
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), buildTime)
	m := &making{done: make(chan struct{}), asking: 1, cancel: cancel}
	p.making[key] = m
	forget := context.AfterFunc(p.ending, cancel)
	p.work.Go(func() {
		defer cancel()
		defer forget()
		if m.err = p.turn(own, m); m.err == nil {
			m.result, m.err = work(own)
			<-p.turns
		}
		p.mu.Lock()
		if p.making[key] == m {
			delete(p.making, key)
		}
		p.mu.Unlock()
		close(m.done)
	})
	return m, nil
}

// stop ends what is being made and waits for it. It is safe to call twice.
func (p *pathService) stop() {
	p.mu.Lock()
	if p.ending == nil {
		p.ending, p.end = context.WithCancel(context.Background())
	}
	p.end()
	p.mu.Unlock()
	p.work.Wait()
}

// questionsAtOnce is how many questions are answered at the same time: each takes a processor, the others wait.
const questionsAtOnce = 4

// enter waits for a place to answer a question in.
func (p *pathService) enter(ctx context.Context) error {
	p.mu.Lock()
	if p.asking == nil {
		p.asking = make(chan struct{}, questionsAtOnce)
	}
	p.mu.Unlock()
	select {
	case p.asking <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pathService) leave() { <-p.asking }

func (p *pathService) estate(key string) *pathEstate {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.estates, func(k *keptEstate) bool { return k.key == key })
	if i < 0 {
		return nil
	}
	return p.estates[i].estate
}

func (p *pathService) keepEstate(key string, e *pathEstate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.estates = slices.DeleteFunc(p.estates, func(k *keptEstate) bool { return k.key == key })
	p.estates = slices.Insert(p.estates, 0, &keptEstate{key, e})
	p.estates = p.estates[:min(len(p.estates), keptEstates)]
}

// model returns a model that is kept, and remembers that it was asked for.
func (p *pathService) model(key string) *pathModel {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.models, func(m *pathModel) bool { return m.key == key })
	if i < 0 {
		return nil
	}
	m := p.models[i]
	copy(p.models[1:i+1], p.models[:i])
	p.models[0] = m
	return m
}

func (p *pathService) keepModel(m *pathModel) {
	actions := len(m.model.Network().Actions)
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := []*pathModel{m}
	for _, other := range p.models {
		if other.key == m.key || len(kept) >= keptModels || !other.mu.TryRLock() {
			continue // one that is being changed will be kept again when it is done
		}
		actions += len(other.model.Network().Actions)
		other.mu.RUnlock()
		if actions <= keptActions {
			kept = append(kept, other)
		}
	}
	p.models = kept
}

// pathEstate is the estate as the asker sees it now.
func (a *App) pathEstate(ctx context.Context, scan int64) (*pathEstate, error) {
	state, err := a.pathState(ctx)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("%s %d", viewKey(a.who.View), scan)
	if known := a.walks.estate(key); known != nil && known.state == state {
		return known, nil
	}
	made, err := a.walks.once(ctx, fmt.Sprint("estate ", key, state), func(ctx context.Context) (any, error) {
		e, err := a.readPathEstate(ctx, scan)
		if err != nil {
			return nil, err
		}
		a.walks.keepEstate(key, e)
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	return made.(*pathEstate), nil
}

func (a *App) modelKey(scan int64, assume attackpath.Assumptions) string {
	return fmt.Sprintf("%s %d %#v", viewKey(a.who.View), scan, assume)
}

// answered returns an answer that is kept and holds, and of what estate it is; nil where there is none.
func (a *App) answered(ctx context.Context, scan int64, assume attackpath.Assumptions, question string) (any, *pathEstate) {
	m := a.walks.model(a.modelKey(scan, assume))
	if m == nil {
		return nil, nil
	}
	estate, err := a.pathEstate(ctx, scan)
	if err != nil || !m.shows(estate) {
		return nil, nil
	}
	if known, ok := m.answers.find(question); ok {
		return known, estate
	}
	return nil, nil
}

// pathModel is the model of a scenario as of now.
func (a *App) pathModel(ctx context.Context, scan int64, assume attackpath.Assumptions) (*pathModel, error) {
	estate, err := a.pathEstate(ctx, scan)
	if err != nil {
		return nil, err
	}
	key := a.modelKey(scan, assume)
	if known := a.walks.model(key); known != nil && known.shows(estate) {
		return known, nil
	}
	made, err := a.walks.once(ctx, fmt.Sprint("model ", key, estate.state), func(ctx context.Context) (any, error) {
		if known := a.walks.model(key); known != nil && known.follow(ctx, estate) {
			a.walks.keepModel(known)
			return known, nil
		}
		m, err := newPathModel(ctx, key, estate, assume)
		if err == nil {
			a.walks.keepModel(m)
		}
		return m, err
	})
	if err != nil {
		return nil, err
	}
	return made.(*pathModel), nil
}

func newPathModel(ctx context.Context, key string, e *pathEstate, assume attackpath.Assumptions) (*pathModel, error) {
	with := e.Estate
	with.Assume = assume
	model, err := attackpath.Build(ctx, with)
	if err != nil {
		return nil, err
	}
	m := &pathModel{key: key, estate: e, model: model, graph: graph.New(nil)}
	return m, m.graph.Load(ctx, model.Network())
}

// shows says whether the model is that of an estate.
func (m *pathModel) shows(e *pathEstate) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.estate == e
}

// follow turns the model into that of an estate of which a few hosts differ. false says that it did not: it must be made
// anew. Somebody who asks of the old one meanwhile is not waited for.
func (m *pathModel) follow(ctx context.Context, e *pathEstate) bool {
	if !m.mu.TryLock() {
		return false
	}
	defer m.mu.Unlock()
	if m.estate == e {
		return true
	}
	changed, ok := changedHosts(m.estate, e)
	if !ok {
		return false
	}
	if len(changed) > 0 {
		change, err := m.model.Replace(ctx, changed)
		if err != nil || m.graph.Apply(ctx, change) != nil {
			m.estate = &pathEstate{} // half of it is changed: it is of nothing any more
			return false
		}
		m.answers.forget()
	}
	m.estate = e
	return true
}

// answers keeps what was worked out of a model, by question. Safe for concurrent use.
type answers struct {
	mu   sync.Mutex
	kept map[string]any
}

// keptAnswers is how many questions of one model are remembered.
const keptAnswers = 12

func (k *answers) find(question string) (any, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, known := k.kept[question]
	return v, known
}

func (k *answers) keep(question string, v any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil || len(k.kept) >= keptAnswers {
		k.kept = map[string]any{}
	}
	k.kept[question] = v
}

func (k *answers) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = nil
}

// tooSlow says that an answer ended with its own deadline, not because nobody waits for it any more.
func tooSlow(asked context.Context, err error) bool {
	return errors.Is(err, context.DeadlineExceeded) && asked.Err() == nil
}
