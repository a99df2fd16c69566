package app

import (
	"context"

	"github.com/patchscout/patchscout/internal/report"
)

// AssistantState says what helps the assistant and how far its indexes are.
func (a *App) AssistantState(_ context.Context) (report.AssistantState, error) {
	return report.AssistantState{Index: []report.AssistantPart{}, KeepDays: a.cfg.Assistant.KeepDays}, nil
}

// AcceptPeers says yes or no to what is sent to machines other than this; nil leaves it as it is.
func (a *App) AcceptPeers(ctx context.Context, _, _, _ *bool) (report.AssistantState, error) {
	return a.AssistantState(ctx)
}
