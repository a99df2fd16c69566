package report

import "io"

// Publish is the document of `feeds publish`.
type Publish struct {
	Dir   string          `json:"dir"`
	Files []PublishedFile `json:"files"`
}

// PublishedFile is one news feed in one format.
type PublishedFile struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Entries int    `json:"entries"`
	Status  string `json:"status"` // written, unchanged
}

// PublishTable lists what was written.
func PublishTable(w io.Writer, doc Publish, v View) error {
	g := &grid{columns: []column{{Title: "FILE"}, {Title: "ENTRIES", Right: true}, {Title: "STATUS"}, {Title: "TITLE", Flex: 20}}}
	for _, f := range doc.Files {
		g.add(cellValue{text: f.Name}, count(f.Entries), cellValue{text: f.Status}, cellValue{text: f.Title})
	}
	return g.draw(w, v.Terminal)
}
