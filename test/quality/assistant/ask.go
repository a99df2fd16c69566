package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/assistant/answer"
	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// wanted is what the assistant holds itself to.
var wanted = limits{right: 98, cited: 95, refused: 98}

// asked is a question with its answer and what is wrong with it.
type asked struct {
	question
	answer   report.Answer
	features answer.Features
	verdict
	words   time.Duration // until the first words
	took    time.Duration
	search  time.Duration // of that, searching texts
	foreign []string      // CVE ids of the text that no source has
	loose   string        // numbers of sources that are not there, or none where there are sources
}

// runner asks the questions of one data folder.
type runner struct {
	app   *app.App
	truth *truth
}

func openRunner(ctx context.Context, dir string) (*runner, error) {
	a, err := openApp(ctx, dir)
	if err != nil {
		return nil, err
	}
	t, err := openTruth(ctx, dir)
	if err != nil {
		return nil, err
	}
	r := &runner{a, t}
	return r, r.warm(ctx)
}

// warm has the texts indexed, as a server does when it starts.
func (r *runner) warm(ctx context.Context) error {
	ctx, end := context.WithTimeout(ctx, 20*time.Second)
	defer end()
	for {
		_, err := r.app.Ask(ctx, request.Ask{Question: "buffer overflow in a parser of images", NoModel: true}, nil)
		if err != nil && ctx.Err() == nil {
			return err
		}
		state, err := r.app.AssistantState(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		behind := ctx.Err() != nil || slices.ContainsFunc(state.Index, func(p report.AssistantPart) bool { return !p.Current })
		if !behind {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil // questions say themselves what they miss
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (r *runner) close() {
	r.truth.close()
	_ = r.app.Close()
}

// ask asks one question through the product. CVEs of hide are not found by their texts.
func (r *runner) ask(ctx context.Context, text, session string, hide ...string) (out asked, err error) {
	begin := time.Now()
	watched := answer.Watch(ctx, func(d *answer.Draft) { out.features = d.Features })
	watched = retrieve.Watch(watched, func(f *retrieve.Found) {
		out.search += f.Took
		f.Passages[retrieve.CVE] = slices.DeleteFunc(f.Passages[retrieve.CVE], func(p retrieve.Passage) bool { return slices.Contains(hide, p.ID) })
	})
	out.answer, err = r.app.Ask(watched, request.Ask{Question: text, Session: session, Keep: session != "", NoModel: true}, func(p report.AnswerPart) error {
		if p.Text != "" && out.words == 0 {
			out.words = time.Since(begin)
		}
		return nil
	})
	out.took = time.Since(begin)
	out.foreign, out.loose = uncited(out.answer), looseNumbers(out.answer)
	return out, err
}

// askAll asks the questions that this catalogue can answer, in order.
func (r *runner) askAll(ctx context.Context, questions []question, feeds bool) (out []asked, err error) {
	tag := strconv.FormatInt(time.Now().UnixNano(), 36)
	for _, q := range questions {
		if q.feeds && !feeds {
			continue
		}
		session := ""
		if q.session != "" {
			session = "quality-" + tag + "-" + strings.ReplaceAll(q.session, " ", "-")
		}
		a, err := r.ask(ctx, q.text, session)
		failed := err
		a.question = q
		if a.verdict, err = r.truth.judge(ctx, q, a.answer); err != nil {
			return out, err
		}
		if failed != nil { // the product broke, which is never right
			a.wrong = "error: " + failed.Error()
		}
		out = append(out, a)
	}
	return out, nil
}

var cveID = regexp.MustCompile(`(?i)\bCVE-\d{4}-\d{4,}\b`)

// uncited are the CVE ids of an answer that none of its sources has.
func uncited(a report.Answer) (out []string) {
	for _, id := range cveID.FindAllString(a.Answer, -1) {
		if !slices.ContainsFunc(a.Sources, func(s report.Source) bool {
			return strings.EqualFold(s.ID, id) || has(s.Title, id) || has(s.Text, id)
		}) {
			out = append(out, id)
		}
	}
	return out
}

var number = regexp.MustCompile(`\[(\d+)\]`)

func looseNumbers(a report.Answer) string {
	for i, s := range a.Sources {
		if s.N != i+1 {
			return fmt.Sprintf("source %d has the number %d", i+1, s.N)
		}
	}
	found := number.FindAllStringSubmatch(a.Answer, -1)
	for _, m := range found {
		if n, _ := strconv.Atoi(m[1]); n < 1 || n > len(a.Sources) {
			return "no source " + m[0]
		}
	}
	return unless(len(found) > 0 || len(a.Sources) == 0, "no source is cited in the text")
}

// figures of a run.
type score struct{ right, all int }

func (s *score) add(ok bool) {
	s.all++
	if ok {
		s.right++
	}
}

func (s score) percent() float64 { return 100 * float64(s.right) / float64(max(s.all, 1)) }

func (s score) String() string { return fmt.Sprintf("%d of %d, %.1f %%", s.right, s.all, s.percent()) }

// limits are the least parts of a hundred that a run must reach.
type limits struct{ right, cited, refused float64 }

// tell writes what came out, and says how many figures are missed.
func tell(w io.Writer, all []asked, least limits) (missed int) {
	var right, cited, refused score
	kinds := map[string]*score{}
	foreign, loose := 0, 0
	for _, a := range all {
		s := kinds[a.kind]
		if s == nil {
			s = &score{}
			kinds[a.kind] = s
		}
		s.add(a.wrong == "")
		if a.kind == "unanswerable" {
			refused.add(a.wrong == "")
		} else {
			right.add(a.wrong == "")
		}
		if a.asked {
			cited.add(a.citation == "")
		}
		foreign += len(a.foreign)
		if a.loose != "" {
			loose++
		}
	}
	figure := func(name, value string, ok bool, limit string) {
		mark := "ok"
		if !ok {
			mark = "MISSED"
			missed++
		}
		fmt.Fprintf(w, "%-46s %-22s %-12s %s\n", name, value, limit, mark)
	}
	figure("structured answers exactly right", right.String(), right.percent() >= least.right, fmt.Sprintf(">= %.0f %%", least.right))
	figure("right citation among the first three", cited.String(), cited.percent() >= least.cited, fmt.Sprintf(">= %.0f %%", least.cited))
	figure("unanswerable ones refused", refused.String(), refused.percent() >= least.refused, fmt.Sprintf(">= %.0f %%", least.refused))
	figure("CVE ids that are not cited", strconv.Itoa(foreign), foreign == 0, "0")
	figure("answers with loose numbers of sources", strconv.Itoa(loose), loose == 0, "0")
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(w, "  %-44s %s\n", kind, kinds[kind])
	}
	fmt.Fprintf(w, "  first words: median %s, 95 of 100 within %s\n", part(all, 0.5, asked.first), part(all, 0.95, asked.first))
	fmt.Fprintf(w, "  whole answer: median %s, 95 of 100 within %s\n", part(all, 0.5, asked.whole), part(all, 0.95, asked.whole))
	return missed
}

func (a asked) first() time.Duration { return a.words }
func (a asked) whole() time.Duration { return a.took }
func (a asked) found() time.Duration { return a.search }

// part is the time within which so many were answered.
func part(all []asked, q float64, of func(asked) time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	times := make([]time.Duration, len(all))
	for i, a := range all {
		times[i] = of(a)
	}
	slices.Sort(times)
	return times[min(int(q*float64(len(times))), len(times)-1)].Round(100 * time.Microsecond)
}

// tellFailures lists what went wrong with how each question was read.
func tellFailures(w io.Writer, all []asked) {
	for _, a := range all {
		for _, say := range []string{a.wrong, a.citation, strings.Join(a.foreign, " "), a.loose} {
			if say == "" {
				continue
			}
			fmt.Fprintf(w, "%d %s: %s\n    %s\n    read as: %s (%s)\n    answer:  %s\n", a.n, a.kind, a.text, say, a.answer.Understood, a.answer.Kind, short(a.answer.Answer))
			break
		}
	}
}
