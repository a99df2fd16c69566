package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// ChatSession is a conversation with the assistant. Its owner calls it by Name; what others have under that name is not his.
type ChatSession struct {
	Name      string
	Title     string // its first question
	Started   time.Time
	Last      time.Time
	Questions int
}

// ChatMessage is a question with what was answered. Context and Answer are JSON documents of the caller's.
type ChatMessage struct {
	ID       int64
	At       time.Time
	Question string
	Context  json.RawMessage // what the next question of the session stands in
	Answer   json.RawMessage
	Feedback *ChatFeedback // nil: none
}

// ChatFeedback is what the owner of a conversation thinks of an answer.
type ChatFeedback struct {
	Good    bool
	Comment string
	At      time.Time
}

// What is kept of conversations, at most. Tests keep less.
var (
	maxChatSessions = 500  // of an owner; the one that rested longest goes
	maxChatMessages = 1000 // of a session; the oldest goes
)

// How long parts of a message may be, in bytes.
const (
	maxChatAnswer   = 256 << 10
	maxChatContext  = 64 << 10
	maxChatQuestion = 4 << 10
	maxChatComment  = 4 << 10
	maxChatTitle    = 200 // bytes of the first question
)

var chatName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// CheckChatSession says what is wrong with the name of a session.
func CheckChatSession(name string) error {
	if !chatName.MatchString(name) {
		return fault.Invalid("session %.70q: want 1 to 64 letters, digits, dots, dashes or underscores", name)
	}
	return nil
}

func (m ChatMessage) check() error {
	for _, part := range []struct {
		name string
		size int
		most int
	}{
		{"question", len(m.Question), maxChatQuestion}, {"context", len(m.Context), maxChatContext}, {"answer", len(m.Answer), maxChatAnswer},
	} {
		if part.size > part.most {
			return fault.Invalid("%s of a conversation: %d bytes, want at most %d", part.name, part.size, part.most)
		}
	}
	for name, doc := range map[string]json.RawMessage{"context": m.Context, "answer": m.Answer} {
		if len(doc) > 0 && !json.Valid(doc) {
			return fault.Invalid("%s of a conversation is no JSON", name)
		}
	}
	return nil
}

// ownChats are the sessions of an owner, as conditions on s.
func ownChats(by Viewer) conditions {
	c := conditions{}
	if by.User != 0 {
		c.add("s.account = ?", by.User)
	} else {
		c.add("s.account IS NULL AND s.who = ?", by.Name)
	}
	return c
}

func oneChat(by Viewer, session string) conditions {
	c := ownChats(by)
	c.add("s.name = ?", session)
	return c
}

func noChat(session string) error { return fault.NotFound("there is no conversation %.70q", session) }

const selectChat = `SELECT s.name, s.title, s.started, s.last, (SELECT count(*) FROM chat_message m WHERE m.session = s.id) FROM chat_session s WHERE `

func scanChat(rows interface{ Scan(...any) error }) (s ChatSession, err error) {
	var started, last int64
	err = rows.Scan(&s.Name, &s.Title, &started, &last, &s.Questions)
	s.Started, s.Last = moment(started), moment(last)
	return s, err
}

// ChatSessions lists the conversations of an owner, the last one first, and says how many there are; limit 0 is all.
func (e *Estate) ChatSessions(ctx context.Context, by Viewer, skip, limit int) (list []ChatSession, total int, err error) {
	c := ownChats(by)
	query := selectChat + c.String() + ` ORDER BY s.last DESC, s.id DESC` + window(skip, limit)
	err = e.db.view(ctx, func(tx *Tx) error {
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM chat_session s WHERE `+c.String(), c.args...).Scan(&total); err != nil {
			return err
		}
		return each(ctx, tx, query, c.args, func(rows *sql.Rows) error {
			s, err := scanChat(rows)
			list = append(list, s)
			return err
		})
	})
	return list, total, err
}

func window(skip, limit int) string {
	if limit <= 0 {
		limit = 1 << 30
	}
	return fmt.Sprintf(" LIMIT %d OFFSET %d", limit, max(skip, 0))
}

// ChatMessages returns a conversation and a part of its questions, the oldest first; limit 0 is all. fault.NotFound: the
// owner has none of the name.
func (e *Estate) ChatMessages(ctx context.Context, by Viewer, session string, skip, limit int) (s ChatSession, list []ChatMessage, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		c := oneChat(by, session)
		s, err = scanChat(tx.QueryRow(ctx, selectChat+c.String(), c.args...))
		if errors.Is(err, sql.ErrNoRows) {
			return noChat(session)
		}
		if err != nil {
			return err
		}
		return each(ctx, tx, selectMessage+c.String()+` ORDER BY m.id`+window(skip, limit), c.args, func(rows *sql.Rows) error {
			m, err := scanMessage(rows)
			list = append(list, m)
			return err
		})
	})
	return s, list, err
}

const selectMessage = `SELECT m.id, m.at, m.question, m.context, m.answer, m.good, m.comment, m.feedback_at
	FROM chat_message m JOIN chat_session s ON s.id = m.session WHERE `

func scanMessage(rows interface{ Scan(...any) error }) (m ChatMessage, err error) {
	var at, feedback int64
	var documents [2]string
	var good sql.NullInt64
	var comment string
	err = rows.Scan(&m.ID, &at, &m.Question, &documents[0], &documents[1], &good, &comment, &feedback)
	m.At, m.Context, m.Answer = moment(at), json.RawMessage(documents[0]), json.RawMessage(documents[1])
	if good.Valid {
		m.Feedback = &ChatFeedback{Good: good.Int64 == 1, Comment: comment, At: moment(feedback)}
	}
	return m, err
}

// ChatContext is what the next question of a conversation stands in, nil where there is none of the name.
func (e *Estate) ChatContext(ctx context.Context, by Viewer, session string) (document json.RawMessage, err error) {
	c := oneChat(by, session)
	err = e.db.view(ctx, func(tx *Tx) error {
		var text string
		err := tx.QueryRow(ctx, `SELECT m.context FROM chat_message m JOIN chat_session s ON s.id = m.session WHERE `+c.String()+
			` ORDER BY m.id DESC LIMIT 1`, c.args...).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		document = json.RawMessage(text)
		return err
	})
	return document, err
}

// AddChatMessage keeps a question with its answer and returns its number, which no other ever gets. It begins the conversation
// where it is new. What is more than is kept of a conversation, or of an owner, goes, the oldest first. fault.Invalid: a name
// or size that is not allowed. fault.NotFound: the owner was removed.
func (e *Estate) AddChatMessage(ctx context.Context, by Viewer, session string, m ChatMessage) (id int64, err error) {
	if err := errors.Join(CheckChatSession(session), m.check()); err != nil {
		return 0, err
	}
	err = e.quietly(ctx, func(tx *Tx) error {
		if err := stillThere(ctx, tx, by); err != nil {
			return err
		}
		chat, err := chatOf(ctx, tx, by, session, m)
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `INSERT INTO chat_message (session, at, question, context, answer, good, comment, feedback_at)
			VALUES (?, ?, ?, ?, ?, NULL, '', 0) RETURNING id`, chat, millis(m.At), clean(m.Question), jsonText(m.Context), jsonText(m.Answer)).Scan(&id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM chat_message WHERE session = ? AND id <=
			(SELECT id FROM chat_message WHERE session = ? ORDER BY id DESC LIMIT 1 OFFSET `+fmt.Sprint(maxChatMessages)+`)`, chat, chat)
		return err
	})
	return id, err
}

// jsonText is JSON as it is stored: an escaped NUL is fine in a column of text, nothing at all is null.
func jsonText(d json.RawMessage) string {
	if len(d) == 0 {
		return "null"
	}
	return clean(string(d))
}

// chatOf returns the number of a conversation that is asked on in, or begins it. On PostgreSQL others wait who do so.
func chatOf(ctx context.Context, tx *Tx, by Viewer, session string, m ChatMessage) (chat int64, err error) {
	_, err = tx.Exec(ctx, `INSERT INTO chat_session (account, who, name, title, started, last)
		VALUES (?, coalesce((SELECT name FROM account WHERE id = ?), ?), ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		sql.NullInt64{Int64: by.User, Valid: by.User != 0}, by.User, by.Name, session, chatTitle(m.Question), millis(m.At), millis(m.At))
	if err != nil {
		return 0, err
	}
	c := oneChat(by, session)
	if err := tx.QueryRow(ctx, `SELECT s.id FROM chat_session s WHERE `+c.String(), c.args...).Scan(&chat); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, `UPDATE chat_session SET last = ? WHERE id = ?`, millis(m.At), chat); err != nil {
		return 0, err
	}
	own := ownChats(by)
	_, err = tx.Exec(ctx, `DELETE FROM chat_session WHERE id IN (SELECT s.id FROM chat_session s WHERE `+own.String()+
		` ORDER BY s.last DESC, s.id DESC LIMIT 1000 OFFSET `+fmt.Sprint(maxChatSessions)+`)`, own.args...)
	return chat, err
}

func chatTitle(question string) string {
	title := clean(question)
	if len(title) <= maxChatTitle {
		return title
	}
	return clean(title[:maxChatTitle-len("…")]) + "…"
}

// RemoveChat forgets a conversation, fault.NotFound where the owner has none of the name.
func (e *Estate) RemoveChat(ctx context.Context, by Viewer, session string) error {
	n, err := e.removeChats(ctx, oneChat(by, session))
	if err == nil && n == 0 {
		err = noChat(session)
	}
	return err
}

// RemoveChats forgets all conversations of an owner and says how many there were.
func (e *Estate) RemoveChats(ctx context.Context, by Viewer) (removed int, err error) {
	return e.removeChats(ctx, ownChats(by))
}

// ForgetChats forgets the conversations of everybody in which nothing was asked since a moment, and says how many there were.
func (e *Estate) ForgetChats(ctx context.Context, before time.Time) (removed int, err error) {
	c := conditions{}
	c.add("s.last < ?", millis(before))
	return e.removeChats(ctx, c)
}

func (e *Estate) removeChats(ctx context.Context, c conditions) (removed int, err error) {
	err = e.quietly(ctx, func(tx *Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM chat_session WHERE id IN (SELECT s.id FROM chat_session s WHERE `+c.String()+`)`, c.args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		removed = int(n)
		return err
	})
	return removed, err
}

// ChatFeedback keeps what the owner of a conversation thinks of one of its answers and returns the message, as it is then.
// fault.NotFound: he has no such answer.
func (e *Estate) ChatFeedback(ctx context.Context, by Viewer, message int64, good bool, comment string, at time.Time) (session string, m ChatMessage, err error) {
	if len(comment) > maxChatComment {
		return "", m, fault.Invalid("comment: %d bytes, want at most %d", len(comment), maxChatComment)
	}
	c := ownChats(by)
	c.add("m.id = ?", message)
	err = e.quietly(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE chat_message SET good = ?, comment = ?, feedback_at = ? WHERE id IN
			(SELECT m.id FROM chat_message m JOIN chat_session s ON s.id = m.session WHERE `+c.String()+`)`,
			append([]any{truth(good), clean(comment), millis(at)}, c.args...)...)
		if err != nil {
			return err
		}
		m, err = scanMessage(tx.QueryRow(ctx, selectMessage+c.String(), c.args...))
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("there is no answer %d", message)
		}
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT s.name FROM chat_session s JOIN chat_message m ON m.session = s.id WHERE m.id = ?`, message).Scan(&session)
	})
	return session, m, err
}

// Consent is an administrator's word that something may be sent to a peer of the assistant. It holds for one address.
type Consent struct {
	Peer string // model, embeddings, vectors
	URL  string
	By   string
	At   time.Time
}

// AssistantConsent lists what was accepted, by peer.
func (e *Estate) AssistantConsent(ctx context.Context) (list []Consent, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, `SELECT peer, url, who, at FROM assistant_consent ORDER BY peer`, nil, func(rows *sql.Rows) error {
			var c Consent
			var at int64
			err := rows.Scan(&c.Peer, &c.URL, &c.By, &at)
			c.At = moment(at)
			list = append(list, c)
			return err
		})
	})
	return list, err
}

// SetAssistantConsent keeps that a peer was accepted at an address; the empty address takes the consent back.
func (e *Estate) SetAssistantConsent(ctx context.Context, c Consent) error {
	return e.quietly(ctx, func(tx *Tx) error {
		if c.URL == "" {
			_, err := tx.Exec(ctx, `DELETE FROM assistant_consent WHERE peer = ?`, c.Peer)
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO assistant_consent (peer, url, who, at) VALUES (?, ?, ?, ?)
			ON CONFLICT (peer) DO UPDATE SET url = excluded.url, who = excluded.who, at = excluded.at`,
			c.Peer, clean(c.URL), clean(c.By), millis(c.At))
		return err
	})
}
