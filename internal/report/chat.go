package report

import "time"

// Answer is what the assistant says to one question: the answer of `patchscout ask`, POST /chat/query and what a history
// holds.
type Answer struct {
	ID         int64           `json:"id" doc:"of the answer, for feedback; 0 where it is not kept"`
	SessionID  string          `json:"session_id" doc:"to ask on in"`
	Question   string          `json:"question"`
	Answer     string          `json:"answer" doc:"paragraphs, '- ' lists, **bold** and [1] for source 1; nothing else is markup"`
	Sources    []Source        `json:"sources" doc:"the records that it rests on, the most important first; n is the number in brackets"`
	Confidence float64         `json:"confidence" minimum:"0" maximum:"1" doc:"how likely the answer is right, calibrated on questions with known answers"`
	Sure       string          `json:"sure" enum:"high,medium,low" doc:"the same in a word"`
	Kind       string          `json:"kind" example:"count findings" doc:"what was asked for, of what"`
	Understood string          `json:"understood" example:"How many open findings are critical on hosts of site dmz?" doc:"the question as it was read"`
	Corrected  []SpellingFix   `json:"corrected" doc:"words that were read as others"`
	Refused    bool            `json:"refused" doc:"it says that it does not know, and why"`
	Missing    []string        `json:"missing" doc:"data that would be needed: a feed that never ran, a host that was never scanned"`
	Data       []DataAge       `json:"data" doc:"how old the data is that it rests on"`
	Facts      *AnswerFacts    `json:"facts" doc:"the answer for programs; null where it is words only"`
	Command    Text            `json:"command" example:"patchscout findings --severity critical" doc:"the command that shows the same"`
	Link       Text            `json:"link" example:"/findings?severity=critical" doc:"the page that shows the same"`
	Model      *AnswerModel    `json:"model" doc:"the language model that worded it; null: composed without one"`
	Next       []string        `json:"next" doc:"questions to ask on with"`
	Feedback   *AnswerFeedback `json:"feedback"`
	At         time.Time       `json:"at"`
}

// AnswerFacts is an answer for programs. What is not asked for is null.
type AnswerFacts struct {
	Count *int     `json:"count" doc:"how many there are"`
	Yes   *bool    `json:"yes" doc:"of a question for yes or no; null there too when it is not known"`
	Value Text     `json:"value" doc:"of a question for one fact: 9.8, 2021-12-10, act"`
	Items []Figure `json:"items" doc:"of lists and groups, in the order asked for, as far as the answer names them"`
	More  int      `json:"more" doc:"items that the answer does not name"`
}

// Figure is one item of a list or group.
type Figure struct {
	Kind  string `json:"kind" example:"host"`
	ID    string `json:"id" example:"12"`
	Name  string `json:"name" example:"10.0.0.5"`
	Count *int   `json:"count"`
	Value Text   `json:"value"`
}

// Source is a record that an answer rests on.
type Source struct {
	N     int        `json:"n" minimum:"1"`
	Kind  string     `json:"kind" enum:"cve,finding,host,service,software,site,technique,weakness,indicator,scan,import,feed,catalogue,path,fix,list,doc" doc:"list is a query: its page shows what was counted"`
	ID    string     `json:"id" example:"CVE-2021-44228"`
	Title string     `json:"title"`
	Text  string     `json:"text" doc:"what the record says, as plain text; what scanned hosts and publishers wrote is in here as they wrote it, without control characters and cut"`
	URL   string     `json:"url" example:"/catalogue/CVE-2021-44228" doc:"the page that opens it"`
	API   Text       `json:"api" example:"/api/v1/cves/CVE-2021-44228"`
	From  Text       `json:"from" example:"NVD" doc:"who says so"`
	At    *time.Time `json:"at" doc:"of the record: last seen, published, synced"`
}

// DataAge is how old data is.
type DataAge struct {
	Name     string     `json:"name" example:"kev"`
	At       *time.Time `json:"at" doc:"null: there is none"`
	AgeHours *float64   `json:"age_hours"`
	Stale    bool       `json:"stale"`
	Note     Text       `json:"note"`
}

// SpellingFix is a word that was read as another.
type SpellingFix struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// AnswerModel says what a language model did.
type AnswerModel struct {
	Name   string   `json:"name"`
	Used   bool     `json:"used" doc:"false: it failed, and the answer is composed without it"`
	Marked bool     `json:"marked" doc:"something that it wrote was cut, since no record says so"`
	Cut    []string `json:"cut" doc:"why, a line each; never the text itself"`
	Error  Text     `json:"error"`
}

// AnswerFeedback is what the asker thinks of an answer.
type AnswerFeedback struct {
	Good    bool      `json:"good"`
	Comment string    `json:"comment"`
	At      time.Time `json:"at"`
}

// AnswerPart is a piece of an answer while it is made: the server-sent events of POST /chat/query. One of the fields is set.
type AnswerPart struct {
	Begun *AnswerBegun `json:"begun,omitempty"` // event "begun", first
	Text  string       `json:"text,omitempty"`  // event "text": more of the answer's text
	Reset bool         `json:"reset,omitempty"` // event "reset": what was said so far is void, the text begins anew
	Whole *Answer      `json:"whole,omitempty"` // event "answer", last
}

// AnswerBegun is what is known before the first word.
type AnswerBegun struct {
	SessionID  string        `json:"session_id"`
	Understood string        `json:"understood"`
	Corrected  []SpellingFix `json:"corrected"`
	Sources    []Source      `json:"sources"`
	Model      Text          `json:"model" doc:"which one is going to word it"`
}

// ChatSession is one conversation.
type ChatSession struct {
	SessionID string    `json:"session_id"`
	Title     string    `json:"title" doc:"its first question"`
	Started   time.Time `json:"started_at"`
	Last      time.Time `json:"last_at"`
	Questions int       `json:"questions"`
}

// ChatSessionList is the asker's conversations, the last one first.
type ChatSessionList struct {
	Items []ChatSession `json:"items"`
	Total int           `json:"total"`
	Skip  int           `json:"skip"`
	Limit int           `json:"limit"`
}

// ChatHistory is a conversation, the oldest question first.
type ChatHistory struct {
	ChatSession
	Items []Answer `json:"items"`
	Total int      `json:"total"`
	Skip  int      `json:"skip"`
	Limit int      `json:"limit"`
}

// ChatSuggestions is questions that the asker's own data gives reason for.
type ChatSuggestions struct {
	Items []string `json:"items"`
}

// AssistantState is how the assistant is set up, for the settings page.
type AssistantState struct {
	Model      AssistantPeer   `json:"model" doc:"words answers"`
	Embeddings AssistantPeer   `json:"embeddings" doc:"finds records by meaning, beside words"`
	Vectors    AssistantPeer   `json:"vectors" doc:"keeps the embeddings: this program, or ChromaDB"`
	Index      []AssistantPart `json:"index" doc:"what is searched as text"`
	KeepDays   int             `json:"keep_days" doc:"conversations are removed after so many days"`
}

// AssistantPeer is something that helps the assistant.
type AssistantPeer struct {
	Name     Text  `json:"name" doc:"of the model; null: none is configured"`
	URL      Text  `json:"url" doc:"without credentials"`
	Remote   bool  `json:"remote" doc:"it is not on this machine"`
	Accepted *bool `json:"accepted" doc:"an administrator accepted what is sent there; null where nothing is"`
	Sends    Text  `json:"sends" doc:"what is sent there"`
	Error    Text  `json:"error" doc:"why it is not used"`
}

// AssistantPart is one kind of records in the text index.
type AssistantPart struct {
	Name    string `json:"name" enum:"cves,findings,assets,techniques,scans,docs,vectors" doc:"vectors are those that are kept of all kinds"`
	Records int    `json:"records"`
	Current bool   `json:"current" doc:"false: what changed last is being brought in"`
}
