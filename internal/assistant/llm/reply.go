package llm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/fault"
)

const (
	maxBytes = 8 << 20   // of a whole response: 4,096 tokens, each in an event of its own of up to 2 KiB
	maxLine  = 256 << 10 // of one line of a stream
	maxText  = 64 << 10  // of text that is handed on
)

// ErrLength says that the model had more to say than it may: the last sentence is not whole.
var ErrLength = fault.Unavailable("the language model stopped at its limit of tokens")

// reply reads what a model says.
type reply struct {
	messages []Message
	key      string
	each     func(text string) error
	said     bool // some text was handed on
	length   int
	think    thoughts
	finish   string
}

// completion is a chunk of a stream, or a whole answer.
type completion struct {
	Choices []struct {
		Index        int     `json:"index"`
		Delta        *part   `json:"delta"`
		Message      *part   `json:"message"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
	Error   json.RawMessage `json:"error"`
	Message json.RawMessage `json:"message"` // of errors of some servers
}

// part is what was said. What models say to themselves (reasoning_content, reasoning, thinking) and calls of tools are not
// even read.
type part struct {
	Content json.RawMessage `json:"content"`
	Refusal string          `json:"refusal"`
}

// read tells a stream from a whole answer.
func (r *reply) read(resp *http.Response, w *watch) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // what is none is sniffed
	in := bufio.NewReaderSize(&limited{from: resp.Body, left: maxBytes, watch: w}, 16<<10)
	switch kind {
	case "text/event-stream":
		return r.stream(in)
	case "application/json":
		return r.whole(in)
	case "", "text/plain", "application/octet-stream":
		start, err := first(in)
		switch {
		case err != nil:
			return broken(err)
		case start == '{':
			return r.whole(in)
		case start == 'd' || start == ':' || start == 'e':
			return r.stream(in)
		}
	}
	return fault.Unavailable("the language model's server answers something else than a completion (%s)", cut(plain(kind), 40))
}

func first(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			return b, in.UnreadByte()
		}
	}
}

func broken(err error) error {
	if fault.KindOf(err) != fault.KindInternal || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fault.Unavailable("the language model's answer broke off: %w", err)
}

// whole reads an answer of a server that does not stream.
func (r *reply) whole(in io.Reader) error {
	raw, err := io.ReadAll(in)
	if err != nil {
		return broken(err)
	}
	if err := r.take(raw); err != nil {
		return err
	}
	return r.end()
}

// stream reads server-sent events (WHATWG HTML, 9.2.6): the data lines of an event are joined, comments and other fields
// passed over. It ends at [DONE], or where the connection ends after a reason to finish.
func (r *reply) stream(in *bufio.Reader) error {
	var data []byte
	begun := false
	for {
		line, err := oneLine(in)
		if errors.Is(err, io.EOF) {
			if err := r.take(data); err != nil { // of an event that lacks its blank line
				return err
			}
			if r.finish != "" {
				return r.end()
			}
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return broken(err)
		}
		if !begun {
			line, begun = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")), true
		}
		if len(line) > 0 {
			if field, value, _ := bytes.Cut(line, []byte(":")); string(field) == "data" {
				if data != nil {
					data = append(data, '\n')
				}
				if data = append(data, bytes.TrimPrefix(value, []byte(" "))...); len(data) > maxLine {
					return fault.Unavailable("the language model's answer has an event of more than %d bytes", maxLine)
				}
			}
			if string(data) != "[DONE]" {
				continue
			}
		}
		switch {
		case string(data) == "[DONE]": // said before the blank line: some servers close right after it
			return r.end()
		default:
			if err := r.take(data); err != nil {
				return err
			}
		}
		data = nil
	}
}

// oneLine reads a line without its end, which is LF or CRLF.
func oneLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		piece, err := in.ReadSlice('\n')
		if len(line)+len(piece) > maxLine {
			return nil, fault.Unavailable("the language model's answer has a line of more than %d bytes", maxLine)
		}
		line = append(line, piece...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		case err != nil:
			return nil, err
		default:
			return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
		}
	}
}

// take reads one document, or nothing.
func (r *reply) take(raw []byte) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	if !utf8.Valid(raw) {
		return fault.Unavailable("the language model's answer is not UTF-8")
	}
	var c completion
	if err := json.Unmarshal(raw, &c); err != nil {
		return fault.Unavailable("the language model's answer is not the JSON that it should be")
	}
	if len(c.Error) > 0 && string(c.Error) != "null" {
		say := "the language model's server says that it failed"
		if m := r.tellable(message(c.Error, "")); m != "" {
			say += ": " + m
		}
		return fault.Unavailable("%s", say)
	}
	for _, choice := range c.Choices { // none: the count of tokens
		if choice.Index != 0 {
			continue
		}
		for _, p := range []*part{choice.Delta, choice.Message} {
			if p == nil {
				continue
			}
			if err := r.say(content(p.Content)); err != nil {
				return err
			}
		}
		if choice.FinishReason != nil && *choice.FinishReason != "" {
			r.finish = *choice.FinishReason
		}
	}
	return nil
}

// content is a text, or a list of parts of which those of text count.
func content(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var list []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &list) != nil {
		return ""
	}
	for _, p := range list {
		if p.Type == "text" {
			text += p.Text
		}
	}
	return text
}

func (r *reply) say(text string) error {
	return r.hand(r.think.drop(text))
}

func (r *reply) hand(text string) error {
	if text == "" {
		return nil
	}
	if r.length += len(text); r.length > maxText {
		return fault.Unavailable("the language model says more than %d bytes", maxText)
	}
	r.said = true
	return r.each(text)
}

func (r *reply) end() error {
	if err := r.hand(r.think.rest()); err != nil {
		return err
	}
	switch r.finish {
	case "length":
		return ErrLength
	case "content_filter":
		return fault.Unavailable("the language model's server filtered the answer")
	}
	if !r.said {
		return fault.Unavailable("the language model said nothing")
	}
	return nil
}

// tellable is as much of a server's message as a log and a user may see: one line, and nothing where it repeats the key or
// what was asked.
func (r *reply) tellable(text string) string {
	text = cut(plain(text), 200)
	const piece = 16
	if r.key != "" && (strings.Contains(text, r.key) || strings.Contains(text, r.key[:min(len(r.key), 6)])) {
		return ""
	}
	for i := 0; i+piece <= len(text); i++ {
		for _, m := range r.messages {
			if strings.Contains(m.Content, text[i:i+piece]) {
				return ""
			}
		}
	}
	return text
}

// plain makes one line of a foreign text.
func plain(text string) string {
	text = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, ""))
	return strings.Join(strings.Fields(text), " ")
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}

// limited reads a body and tells the watch of each sign.
type limited struct {
	from  io.Reader
	left  int
	watch *watch
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	if l.left -= n; l.left < 0 {
		return 0, fault.Unavailable("the language model's answer has more than %d bytes", maxBytes)
	}
	if n > 0 {
		l.watch.sign()
	}
	return n, err
}

// watch ends a request that stays silent.
type watch struct {
	mu      sync.Mutex
	timer   *time.Timer
	silence time.Duration
	limit   time.Duration // that runs now
	ctx     context.Context
	cancel  context.CancelCauseFunc
}

func newWatch(ctx context.Context, first, silence time.Duration) (*watch, context.Context) {
	w := &watch{silence: silence, limit: first}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(first, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.cancel(fault.Unavailable("nothing came from the language model for %s", w.limit))
	})
	return w, w.ctx
}

func (w *watch) sign() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit = w.silence
	w.timer.Reset(w.silence)
}

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// because says that it was the silence which ended a request.
func (w *watch) because(err error) error {
	cause := context.Cause(w.ctx)
	if err == nil || cause == nil || fault.KindOf(cause) != fault.KindUnavailable {
		return err
	}
	return cause
}

// thoughts takes out what models say to themselves between <think> and </think>, in whatever pieces it comes.
type thoughts struct {
	inside string // the tag that is open
	held   string // may be the begin of a tag
}

var thinking = []string{"think", "thinking", "thought", "reasoning"}

func (t *thoughts) drop(text string) string {
	text = t.held + text
	t.held = ""
	var out strings.Builder
	for text != "" {
		at := strings.IndexByte(text, '<')
		if at < 0 {
			t.put(&out, text)
			break
		}
		t.put(&out, text[:at])
		text = text[at:]
		name, close, size := t.tag(text)
		switch {
		case size < 0: // wait for more
			t.held = text
			return out.String()
		case size == 0:
			t.put(&out, text[:1])
			text = text[1:]
			continue
		case t.inside == "" && !close:
			t.inside = name
		case close && t.inside == name:
			t.inside = ""
		}
		text = text[size:]
	}
	return out.String()
}

func (t *thoughts) put(out *strings.Builder, text string) {
	if t.inside == "" {
		out.WriteString(text)
	}
}

// tag reads a tag of thoughts: its size is 0 where it is none, and -1 where that cannot be said yet.
func (t *thoughts) tag(text string) (name string, close bool, size int) {
	for _, name := range thinking {
		for _, tag := range []string{"<" + name + ">", "</" + name + ">"} {
			switch {
			case len(text) >= len(tag) && strings.EqualFold(text[:len(tag)], tag):
				return name, tag[1] == '/', len(tag)
			case len(text) < len(tag) && strings.EqualFold(text, tag[:len(text)]):
				size = -1
			}
		}
	}
	return "", false, size
}

// rest is what was held back and is no tag after all.
func (t *thoughts) rest() string {
	held := t.held
	t.held = ""
	if t.inside != "" {
		return ""
	}
	return held
}
