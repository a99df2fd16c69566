package app

import (
	"context"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// errNoPaths is what is true until a model of the estate can be built.
var errNoPaths = fault.Unavailable("attack paths cannot be worked out yet")

// Paths says how attackers would walk to what matters, the likeliest times its weight first.
func (a *App) Paths(ctx context.Context, req request.Paths) (report.Paths, error) {
	return report.Paths{}, errNoPaths
}

// CriticalPaths is Paths with the best path to each jewel only, the weightiest jewel first.
func (a *App) CriticalPaths(ctx context.Context, req request.Paths) (report.Paths, error) {
	return report.Paths{}, errNoPaths
}

// PathFixes says which fixes end the paths.
func (a *App) PathFixes(ctx context.Context, req request.Paths) (report.PathFixes, error) {
	return report.PathFixes{}, errNoPaths
}

// PathWhatIf says what difference something would make.
func (a *App) PathWhatIf(ctx context.Context, req request.WhatIf) (report.WhatIf, error) {
	return report.WhatIf{}, errNoPaths
}

// PathReach says what a host exposes (forward), or what leads to it.
func (a *App) PathReach(ctx context.Context, req request.Paths, host string, forward bool) (report.PathReach, error) {
	return report.PathReach{}, errNoPaths
}

// PathMap is the whole estate for drawing.
func (a *App) PathMap(ctx context.Context, req request.Paths) (report.PathMap, error) {
	return report.PathMap{}, errNoPaths
}

// PathPolicy is what somebody declared of the network.
func (a *App) PathPolicy(ctx context.Context) (report.PathPolicy, error) {
	return report.PathPolicy{}, errNoPaths
}

// SetPathPolicy puts a file of rules in the place of the one before.
func (a *App) SetPathPolicy(ctx context.Context, name string, data []byte) (_ report.PathPolicy, err error) {
	return report.PathPolicy{}, errNoPaths
}

// ClearPathPolicy forgets what was declared.
func (a *App) ClearPathPolicy(ctx context.Context) (err error) { return errNoPaths }

// PathCorrections lists what people said of edges.
func (a *App) PathCorrections(ctx context.Context) (report.PathCorrections, error) {
	return report.PathCorrections{}, errNoPaths
}

// CorrectPath keeps a person's word on an edge.
func (a *App) CorrectPath(ctx context.Context, req request.PathCorrection) (_ report.PathCorrection, err error) {
	return report.PathCorrection{}, errNoPaths
}

// UncorrectPath forgets a person's word on an edge.
func (a *App) UncorrectPath(ctx context.Context, id int64) (err error) { return errNoPaths }
