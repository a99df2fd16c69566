package request

// Ask is a question to the assistant.
type Ask struct {
	Question string
	Session  string // of the asker's own; "" begins one
	About    *Thing // what is on the asker's screen
	Keep     bool   // in the history
	NoModel  bool   // without a language model
	Zone     string // the asker's time zone, IANA; "" is the server's
}

// Thing names a record as sources of answers do.
type Thing struct {
	Kind string // cve, finding, host, scan, technique, path, page …
	ID   string
}

// Feedback is what the asker thinks of an answer.
type Feedback struct {
	Answer  int64
	Good    bool
	Comment string
}
