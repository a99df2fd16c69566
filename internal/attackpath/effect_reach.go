package attackpath

import "github.com/patchscout/patchscout/internal/cpe"

// reach decides from where the weakness can be used, with which account, and whether somebody must open something. The
// vector speaks; words where it is silent.
func (w *weighing) reach() {
	w.lures()
	w.from()
	w.between()
	w.account()
}

// between: CVSS writes AV:N for who stands between two that talk to each other, and AC:H for that he has to get there. Nobody
// gets there by reaching a port: of the places that are known, the site is the one from which he can.
func (w *weighing) between() {
	if e := w.effect; e.Reach == OverNetwork && w.hears(saysBetween) && !e.Lures && w.cvss.ac != 'L' {
		e.Reach = OverLink
		w.because("the description tells of a man in the middle: whoever stands in the same site")
	}
}

func (w *weighing) lures() {
	a := &w.cvss
	switch {
	case a.ui == 'R':
		w.lured("UI:R")
	case a.av == 'N' && (clientsOnly(w.flaw.Products) || a.version == "2" && w.hears(saysClient)):
		w.lured("the product opens what people are sent")
	case a.ui == 'N':
	case w.is(inBrowser) && a.av != 'L':
		w.lured(named(w.flaw.CWEs, inBrowser) + " works in another user's browser")
	case a.av != 0 && a.av != 'N':
	case a.ac == 'L': // NVD wrote AC:M in version 2 where somebody must open something: 99 of 100 with AC:L have UI:N
	case w.hears(saysLure) && (a.ac == 'M' || a.ac == 'H'):
		w.lured("CVSS 2 does not say, the description tells of something that is opened")
	case a.ac == 'M' && w.is(breaksMemory) && !w.hears(saysServer):
		w.lured("AC:M in CVSS 2, memory, and nothing of a server")
	case a.av == 0 && w.hears(saysLure) && !w.hears(saysLocal) && w.clientSide():
		w.lured("no vector, the description tells of something that is opened")
	}
}

// clientSide: words of web pages and files also stand where a web application is weak.
func (w *weighing) clientSide() bool {
	return !w.hears(saysSQL|saysUpload|saysBypass) && !w.is(inDatabase)
}

func (w *weighing) lured(why string) {
	w.effect.Lures = true
	w.because(why + ": somebody must open something")
}

func (w *weighing) from() {
	e := w.effect
	switch w.cvss.av {
	case 'N':
		e.Reach = OverNetwork
		w.because("AV:N: whoever reaches the port")
	case 'A':
		e.Reach = OverLink
		w.because("AV:A: whoever stands in the same site")
	case 'L':
		e.Reach = w.local()
	case 'P':
		e.Reach = FromNowhere
		w.because("AV:P: only by hand")
	default:
		w.fromWords()
	}
}

// local: FIRST (CVSS 3.1, 2.1.1) writes AV:L also where somebody opens a file that came from elsewhere.
func (w *weighing) local() Reach {
	if w.effect.Lures && w.cvss.pr != 'L' && w.cvss.pr != 'H' {
		w.because("AV:L with UI:R and PR:N: what is opened may come over the network")
		return OverNetwork
	}
	w.effect.Lures = false // who is on the host waits there for others
	w.because("AV:L: a user of the host")
	return OnHost
}

func (w *weighing) fromWords() {
	e := w.effect
	say := func(r Reach, why string) {
		e.Reach = r
		w.because("no vector: the description tells of " + why)
	}
	switch {
	case w.hears(saysGuest) && !w.hears(saysWeb|saysLocal):
		say(FromNowhere, "what begins in a virtual machine, and not of which")
	case w.hears(saysPhysical) && !w.hears(saysRemote):
		say(FromNowhere, "physical access")
	case w.hears(saysRemote):
		say(OverNetwork, "remote attackers")
	case w.hears(saysLocal):
		e.Lures = false
		say(OnHost, "local users")
	case w.hears(saysAdjacent):
		say(OverLink, "neighbours in the network")
	case e.Lures:
		say(OverNetwork, "something that is sent")
	case w.hears(saysWeb|saysSQL|saysUpload|saysAnyone) || w.is(inDatabase|inBrowser):
		say(OverNetwork, "a web application or server")
	case w.hears(saysPrivilege):
		say(OnHost, "privileges gained, and of nothing remote")
	case w.scanned:
		e.Reach = OverNetwork
		w.because("a scanner saw it over the network")
	default:
		w.because("neither a vector nor the description says from where it is used")
	}
}

func (w *weighing) account() {
	e := w.effect
	switch w.cvss.pr {
	case 'N':
		e.Needs = None
	case 'L':
		e.Needs = User
		w.because("PR:L or Au:S: an account there")
	case 'H':
		e.Needs = Root
		w.because("PR:H or Au:M: an administrator's account there")
	default:
		w.accountFromWords()
	}
	if e.Reach == OnHost && e.Needs == None {
		e.Needs = User
	}
}

func (w *weighing) accountFromWords() {
	switch {
	case w.hears(saysAnyone) && !w.hears(saysLowRole|saysAccount|saysAdminOnly):
	case w.hears(saysLowRole):
		w.effect.Needs = User
		w.because("no vector: the description tells of an ordinary account")
	case w.hears(saysAdminOnly) && w.effect.Reach != OnHost:
		w.effect.Needs = Root
		w.because("no vector: the description tells of an administrator's account")
	case w.hears(saysAccount):
		w.effect.Needs = User
		w.because("no vector: the description tells of an account")
	}
}

// clientPrograms are products by which people open what they are sent. Publishers often leave UI:R out for them.
var clientPrograms = wordSet("flash_player flash_player_desktop_runtime air adobe_air air_sdk adobe_air_sdk acrobat acrobat_reader acrobat_dc acrobat_reader_dc reader shockwave_player " +
	"firefox firefox_esr thunderbird thunderbird_esr seamonkey mozilla chrome safari webkit internet_explorer ie edge edge_chromium opera_browser opera_web_browser opera navigator communicator camino konqueror outlook_express silverlight " +
	"office word excel powerpoint visio publisher outlook word_viewer excel_viewer powerpoint_viewer office_compatibility_pack quicktime itunes " +
	"foxit_reader phantompdf pdf_reader pdf_editor realplayer winamp vlc_media_player windows_media_player winrar 7-zip")

// clientsOnly says whether all programs that are weak are such. Systems that ship them do not count.
func clientsOnly(products []cpe.Product) bool {
	any := false
	for _, p := range products {
		if p.Part == 'a' && !clientPrograms[p.Product] {
			return false
		}
		any = any || p.Part == 'a'
	}
	return any
}
