package app

import (
	"context"

	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// ChatSuggestions are questions that the asker's own data gives reason for, and what is on his screen.
func (a *App) ChatSuggestions(_ context.Context, about *request.Thing) (report.ChatSuggestions, error) {
	if _, err := thing(about); err != nil {
		return report.ChatSuggestions{}, err
	}
	return report.ChatSuggestions{Items: []string{
		"What should I fix first?", "How many open findings are critical?", "Which findings are known to be exploited?", "How old is the data of the feeds?",
	}}, nil
}
