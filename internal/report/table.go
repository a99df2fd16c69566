package report

import (
	"io"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
)

// Terminal says what a table is drawn on. The zero value is plain text of unlimited width, for pipes and files.
type Terminal struct {
	Width  int // columns, 0 is unlimited
	Colour bool
}

// tone is a meaning that a colour carries. Colour never carries it alone: the word is always there too.
type tone int

const (
	toneNone   tone = iota
	toneUrgent      // act, critical, KEV
	toneHigh        // attend, high
	toneMedium      // plan, medium
	toneFaint       // track, missing
	toneTitle
)

// The 16 colours that every terminal has and that follow its own theme.
var tones = map[tone]lipgloss.Style{
	toneUrgent: lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red),
	toneHigh:   lipgloss.NewStyle().Foreground(lipgloss.Yellow),
	toneMedium: lipgloss.NewStyle().Foreground(lipgloss.Cyan),
	toneFaint:  lipgloss.NewStyle().Faint(true),
	toneTitle:  lipgloss.NewStyle().Bold(true),
}

func (t Terminal) paint(how tone, s string) string {
	if !t.Colour || how == toneNone || s == "" {
		return s
	}
	return tones[how].Render(s)
}

// column is one column of a table. A column with Flex gives way, down to Flex cells, when the terminal is narrow; one
// with Optional goes altogether, highest number first.
type column struct {
	Title    string
	Right    bool
	Flex     int
	Optional int
}

type cellValue struct {
	text string
	tone tone
}

func plainCells(values ...string) []cellValue {
	row := make([]cellValue, len(values))
	for i, v := range values {
		row[i].text = orMissing(v)
	}
	return row
}

// grid is a table in the making. Cells are made plain when they are drawn.
type grid struct {
	columns []column
	rows    [][]cellValue
}

func (g *grid) add(row ...cellValue) { g.rows = append(g.rows, row) }

func (g *grid) remove(i int) {
	g.columns = slices.Delete(g.columns, i, i+1)
	for r := range g.rows {
		g.rows[r] = slices.Delete(g.rows[r], i, i+1)
	}
}

// draw writes the header and the rows; columns are as wide as their widest cell, as far as the terminal allows.
func (g *grid) draw(w io.Writer, t Terminal) error {
	for _, row := range g.rows {
		for i := range row {
			row[i].text = Plain(row[i].text)
		}
	}
	widths, gap := g.layout(t.Width)
	var out strings.Builder
	header := make([]cellValue, len(g.columns))
	for i, c := range g.columns {
		header[i] = cellValue{c.Title, toneTitle}
	}
	for _, row := range append([][]cellValue{header}, g.rows...) {
		g.line(&out, t, row, widths, gap)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (g *grid) line(out *strings.Builder, t Terminal, row []cellValue, widths []int, gap int) {
	var pending int // blanks before the next cell: none at the end of a line
	for i, c := range row {
		if widths[i] == 0 {
			continue
		}
		text := clip(c.text, widths[i])
		fill := widths[i] - lipgloss.Width(text)
		if g.columns[i].Right {
			pending += fill
			fill = 0
		}
		out.WriteString(strings.Repeat(" ", pending))
		out.WriteString(t.paint(c.tone, text))
		pending = fill + gap
	}
	out.WriteString("\n")
}

// layout returns the width of each column, 0 for one that is left out, and the gap between them.
func (g *grid) layout(limit int) (widths []int, gap int) {
	widths = make([]int, len(g.columns))
	for i, c := range g.columns {
		widths[i] = lipgloss.Width(c.Title)
		for _, row := range g.rows {
			widths[i] = max(widths[i], lipgloss.Width(row[i].text))
		}
	}
	for gap = 2; limit > 0 && total(widths, gap) > limit; {
		switch {
		case gap > 1:
			gap--
		case g.shrink(widths):
		case g.leaveOut(widths):
		default:
			return widths, gap // the terminal wraps: better than hiding an address
		}
	}
	return widths, gap
}

func total(widths []int, gap int) int {
	sum := -gap
	for _, w := range widths {
		if w > 0 {
			sum += w + gap
		}
	}
	return sum
}

// shrink takes one cell from the widest flexible column.
func (g *grid) shrink(widths []int) bool {
	widest := -1
	for i, c := range g.columns {
		if c.Flex > 0 && widths[i] > c.Flex && (widest < 0 || widths[i] > widths[widest]) {
			widest = i
		}
	}
	if widest < 0 {
		return false
	}
	widths[widest]--
	return true
}

func (g *grid) leaveOut(widths []int) bool {
	least := -1
	for i, c := range g.columns {
		if c.Optional > 0 && widths[i] > 0 && (least < 0 || c.Optional > g.columns[least].Optional) {
			least = i
		}
	}
	if least < 0 {
		return false
	}
	widths[least] = 0
	return true
}

// clip cuts s to width terminal cells, with an ellipsis.
func clip(s string, width int) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && lipgloss.Width(string(runes))+1 > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ") + "…"
}

// wrap breaks text at blanks into lines of at most width cells; width 0 does not break.
func wrap(text string, width int) []string {
	words := strings.Fields(Plain(text))
	if width <= 0 || len(words) == 0 {
		return []string{strings.Join(words, " ")}
	}
	lines := []string{words[0]}
	for _, word := range words[1:] {
		last := &lines[len(lines)-1]
		if lipgloss.Width(*last)+1+lipgloss.Width(word) > width {
			lines = append(lines, word)
			continue
		}
		*last += " " + word
	}
	return slices.Clip(lines)
}
