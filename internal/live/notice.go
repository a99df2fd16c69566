package live

import "encoding/json"

// Sentence is the data of a Log: something for people that belongs to no host.
type Sentence struct {
	Text string `json:"text" example:"nikto is not installed and was left out"`
}

// Notice is a sentence as an event carries it.
func Notice(text string) json.RawMessage {
	b, _ := json.Marshal(Sentence{text}) // a string always marshals
	return b
}
