package understand

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed grammar.txt
var grammarText string

// effect is what a phrase says: "severity" "critical".
type effect struct{ key, value string }

// phrase is one way to say something.
type phrase struct {
	effects      []effect
	rule         string // the line of the grammar and the phrase, for whoever debugs it
	first, final bool   // it must begin, or end, the question
}

// node is a word of phrases, with the words that may follow.
type node struct {
	next  map[string]*node
	slots map[string]*node // "<n>"
	ends  []phrase
}

type grammar struct {
	root  node
	words *wordIndex
	heads map[string]bool // every word that a phrase has
	nouns map[string]bool // those that name a subject by themselves
}

// theGrammar is grammar.txt, compiled.
var theGrammar = table(func() *grammar {
	g := &grammar{words: newWordIndex(2000), heads: map[string]bool{}, nouns: map[string]bool{}}
	for i, line := range strings.Split(grammarText, "\n") {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			if err := g.add(line, i+1); err != nil {
				panic(fmt.Sprintf("grammar.txt:%d: %v", i+1, err)) // written by us, and read by a test
			}
		}
	}
	g.words.done()
	return g
})

func grammarWords() *wordIndex { return theGrammar().words }

// add reads "key=value key=value: phrase | phrase".
func (g *grammar) add(line string, number int) error {
	left, right, ok := strings.Cut(line, ": ")
	if !ok {
		return fmt.Errorf("no ': ' in %q", line)
	}
	var effects []effect
	for field := range strings.FieldsSeq(left) {
		key, value, _ := strings.Cut(field, "=")
		if !keys[key] {
			return fmt.Errorf("nothing is called %q", key)
		}
		effects = append(effects, effect{key, value})
	}
	for text := range strings.SplitSeq(right, "|") {
		text = strings.TrimSpace(text)
		p := phrase{effects: effects, rule: fmt.Sprintf("%d: %s <- %s", number, left, text)}
		text, p.first = strings.CutPrefix(text, "^")
		text, p.final = strings.CutSuffix(text, "$")
		if text = strings.TrimSpace(text); text == "" {
			return fmt.Errorf("an empty phrase in %q", line)
		}
		if effects[0].key == "subject" && !strings.ContainsAny(text, " (/") {
			g.nouns[text] = true
		}
		g.grow([]*node{&g.root}, strings.Fields(text), p)
	}
	return nil
}

// grow adds the ways to say a phrase: (word) may be left out, one/two is either.
func (g *grammar) grow(at []*node, words []string, p phrase) {
	for i, w := range words {
		if end := slices.IndexFunc(words[i:], func(w string) bool { return strings.HasSuffix(w, ")") }); strings.HasPrefix(w, "(") && end > 0 {
			g.grow(at, words[i+end+1:], p) // several words that may be left out
			words[i], words[i+end] = strings.TrimPrefix(w, "("), strings.TrimSuffix(words[i+end], ")")
			g.grow(at, words[i:], p)
			return
		}
		optional := strings.HasPrefix(w, "(") && strings.HasSuffix(w, ")")
		w = strings.Trim(w, "()")
		var following []*node
		for _, n := range at {
			for choice := range strings.SplitSeq(w, "/") {
				following = append(following, g.child(n, choice))
			}
		}
		if optional {
			at = append(at, following...)
		} else {
			at = following
		}
	}
	for _, n := range at {
		if n != &g.root {
			n.ends = append(n.ends, p)
		}
	}
}

func (g *grammar) child(n *node, w string) *node {
	into := &n.next
	if strings.HasPrefix(w, "<") {
		into = &n.slots
	} else {
		g.heads[w] = true
		g.words.add(w, 100000)
	}
	if *into == nil {
		*into = map[string]*node{}
	}
	if (*into)[w] == nil {
		(*into)[w] = &node{}
	}
	return (*into)[w]
}

// span is a stretch of tokens that something explains.
type span struct {
	from, to int
	effects  []effect
	rules    []string
}

// skipped are the words that may stand between any two of a phrase.
var skipped = map[string]bool{"the": true, "a": true, "an": true, "my": true, "our": true, "your": true, "all": true}

// longest finds the longest phrase that begins at a token. Of phrases in the same words it gives what all of them say.
func (g *grammar) longest(tokens []token, at, start int) (span, bool) {
	w := walk{tokens: tokens, at: at, start: start, best: span{from: at, to: at}}
	w.from(&g.root, at, nil, false)
	return w.best, w.best.to > at
}

type walk struct {
	tokens    []token
	at, start int
	best      span
}

func (w *walk) from(n *node, i int, slots []effect, skipping bool) {
	if !skipping { // a phrase does not end with a word that it only passed
		w.end(n, i, slots)
	}
	if i >= len(w.tokens) || i > w.at+14 || i > w.at && w.tokens[i].after {
		return
	}
	t := &w.tokens[i]
	if c := n.next[t.word]; c != nil {
		w.from(c, i+1, slots, false)
	} else if i > w.at && skipped[t.word] {
		w.from(n, i+1, slots, true)
	}
	if c := n.next[t.single]; c != nil && t.single != "" {
		w.from(c, i+1, slots, false)
	}
	for slot, c := range n.slots {
		if value, ok := slotValue(slot, *t); ok {
			w.from(c, i+1, append(slots, effect{slot, value}), false)
		}
	}
}

func (w *walk) end(n *node, i int, slots []effect) {
	if i < w.best.to || i == w.at {
		return
	}
	for _, p := range n.ends {
		if p.first && w.at > w.start || p.final && i != len(w.tokens) {
			continue
		}
		if i > w.best.to {
			w.best = span{from: w.at, to: i}
		}
		w.best.effects = append(w.best.effects[:len(w.best.effects):len(w.best.effects)], fill(p.effects, slots)...)
		w.best.rules = append(w.best.rules, p.rule)
	}
}

func slotValue(slot string, t token) (string, bool) {
	switch slot {
	case "<n>":
		_, ok := t.numeric()
		return t.word, ok && t.value != "#" && !t.percent()
	case "<p>":
		_, ok := t.fraction()
		if t.percent() {
			return t.value, ok
		}
		return t.word, ok && t.value != "#"
	case "<id>":
		return strings.TrimPrefix(t.word, "#"), t.kind == numberToken && digits(strings.TrimPrefix(t.word, "#"))
	case "<address>":
		return t.value, t.kind == addressToken || t.kind == networkToken
	case "<name>":
		return t.word, true
	case "<any>":
		return t.word, t.kind == wordToken
	}
	return "", false
}

func fill(effects, slots []effect) []effect {
	if len(slots) == 0 {
		return effects
	}
	out := make([]effect, len(effects))
	for i, e := range effects {
		for _, s := range slots {
			e.value = strings.Replace(e.value, s.key, s.value, 1)
		}
		out[i] = e
	}
	return out
}

// keys are what phrases can say; meaning.go says what each does.
var keys = map[string]bool{
	"filler": true, "measure": true, "subject": true, "attr": true, "by": true, "severity": true, "decision": true, "kev": true, "exploited": true, "exploit": true,
	"ransomware": true, "cvss": true, "epss": true, "state": true, "triage": true, "overdue": true, "due": true, "potential": true, "jewels": true, "exposed": true,
	"criticality": true, "owner": true, "assignee": true, "os": true, "status": true, "timeof": true, "sort": true, "least": true, "most": true, "audience": true, "all": true,
	"limit": true, "act": true, "outside": true, "topic": true, "those": true, "ordinal": true, "not": true, "ours": true, "catalogue": true, "finding": true,
	"scan": true, "import": true, "run": true, "affected": true, "class": true, "from": true, "time": true, "follow": true, "service": true, "scanner": true, "only": true, "than": true,
	"feed": true, "indicator": true, "new": true, "host": true, "in": true, "polite": true, "be": true, "value": true, "fixby": true, "fixable": true, "kevlist": true, "titled": true, "clean": true, "withdrawn": true, "share": true, "which": true, "name": true,
}
