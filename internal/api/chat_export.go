package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/report"
)

// exportPage is how many answers are read at once.
const exportPage = 200

// exportChat answers with all of a conversation as a file.
func (s *Server) exportChat(ctx context.Context, d Desk, in *chatExportInput) (*huma.StreamResponse, error) {
	doc, err := d.ChatHistory(ctx, in.SessionID, 0, exportPage)
	for err == nil && len(doc.Items) < doc.Total {
		var more report.ChatHistory
		if more, err = d.ChatHistory(ctx, in.SessionID, len(doc.Items), exportPage); len(more.Items) == 0 {
			break // it was cut short meanwhile
		}
		doc.Items = append(doc.Items, more.Items...)
	}
	if err != nil {
		return nil, err
	}
	doc.Total, doc.Limit = len(doc.Items), len(doc.Items)
	if in.Format == "markdown" {
		return s.stream(download{"text/markdown; charset=utf-8", "conversation.md"}, func(w *streamWriter) error { return report.ChatMarkdown(w, doc) }), nil
	}
	return s.stream(download{"application/json", "conversation.json"}, func(w *streamWriter) error { return report.JSON(w, doc) }), nil
}
