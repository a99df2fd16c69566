// Package llm speaks to a language model behind an OpenAI-compatible address (chat completions: OpenAI's API reference;
// Ollama, vLLM, llama.cpp and the Hugging Face router have the same). It hands on text as it comes, and never anything that
// is not in the request that it was given.
package llm

import "context"

// Model words answers.
type Model interface {
	Name() string
	// Stream sends messages and hands on what the model says, piece by piece. It ends with the model's own end, ctx, a
	// limit, or fault.Unavailable.
	Stream(ctx context.Context, messages []Message, each func(text string) error) error
}

// Message is one of a conversation.
type Message struct {
	Role    string `json:"role"` // system, user, assistant
	Content string `json:"content"`
}
