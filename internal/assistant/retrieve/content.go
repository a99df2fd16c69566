package retrieve

import "strings"

// functionWords are of questions, not of what they are about: in short texts they are rare enough to weigh.
var functionWords = func() map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(`a an the of in on at by for from to with and or is are was were be been am do does did
		has have had how what which who whom whose where when why my our your their his her i we you they he she it its me us
		this that these those there here can could should would will shall may might must any some please tell about if so`) {
		set[w] = true
	}
	return set
}()

// content leaves out the words of a text that say nothing about what is looked for; one of such words alone stays as it is.
func content(text string) string {
	var kept []string
	for _, w := range strings.Fields(text) {
		if !functionWords[strings.ToLower(strings.Trim(w, ".,;:?!()\"'"))] {
			kept = append(kept, w)
		}
	}
	if len(kept) == 0 {
		return text
	}
	return strings.Join(kept, " ")
}
