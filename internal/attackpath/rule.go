package attackpath

import (
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/intel"
)

// weighing is one weakness on the rules' scales: what its facts say, and what was decided so far.
type weighing struct {
	flaw    *Flawed
	cvss    assessment
	class   cweClass
	says    said
	system  bool // what is weak is an operating system or a device, not a program on it
	device  bool
	scanned bool // a scanner saw it answer
	effect  *Effect
}

// weigh reads the facts of a flaw.
func weigh(f *Flawed) *weighing {
	w := &weighing{flaw: f, cvss: assess(f.Metrics), class: classesOf(f.CWEs), says: hear(f.Title, f.Description), effect: &Effect{}}
	w.system, w.device = systemOnly(f.Products)
	return w
}

func (w *weighing) is(c cweClass) bool { return w.class&c != 0 }
func (w *weighing) hears(s said) bool  { return w.says&s != 0 }

func (w *weighing) because(why string) { w.effect.Why = append(w.effect.Why, why) }

// foremost puts what decides in front.
func (w *weighing) foremost(why string) { w.effect.Why = slices.Insert(w.effect.Why, 0, why) }

// distributions are systems that stand in CVE records for the packages that they ship, so that they say nothing of where
// the weakness is.
var distributions = wordSet("debian_linux ubuntu_linux fedora enterprise_linux enterprise_linux_desktop enterprise_linux_server " +
	"enterprise_linux_workstation linux_enterprise_server linux_enterprise_desktop opensuse leap linux mandrake_linux centos " +
	"suse_linux solaris_linux gentoo_linux slackware_linux openlinux")

// systemOnly says whether all vulnerable products are operating systems or devices, and whether they are devices with
// their firmware.
func systemOnly(products []cpe.Product) (system, device bool) {
	for _, p := range products {
		switch {
		case p.Part == 'h':
			system, device = true, true
		case p.Part != 'o':
			return false, false
		case strings.HasSuffix(p.Product, "_firmware"):
			system, device = true, true
		case !distributions[p.Product] || p.Vendor == "linux" || p.Vendor == "microsoft":
			system = true
		}
	}
	return system, device
}

// gain decides what using the weakness gives. The rules stand in the order in which they are asked; the first that applies
// decides.
func (w *weighing) gain() {
	for _, rule := range []func() (Gain, string){
		w.browser, w.nothingButDenial, w.onHost, w.builtIn, w.database, w.code, w.door, w.total, w.partial,
	} {
		if g, why := rule(); why != "" {
			w.effect.Gain = g
			w.foremost(why)
			return
		}
	}
	w.effect.Gain = Nothing
	w.foremost("no rule sees a step forward in it")
}

// browser: script in another's browser and requests in his name take the session of an application, not a host.
func (w *weighing) browser() (Gain, string) {
	switch {
	case w.is(inBrowser) && !w.is(runsCode|breaksMemory):
		return Nothing, named(w.flaw.CWEs, inBrowser) + ": happens in another user's browser, no privilege on the host"
	case w.class == 0 && w.hears(saysBrowser) && !w.hears(saysCode|saysSQL|saysPrivilege|saysBypass|saysWrite):
		return Nothing, "the description tells of scripts or requests in another user's browser: no privilege on the host"
	default:
		return 0, ""
	}
}

func (w *weighing) nothingButDenial() (Gain, string) {
	a := &w.cvss
	switch {
	case a.scored() && a.all(lossNone) && a.c == lossNone && a.i == lossNone && a.a == lossNone:
		return Nothing, "CVSS sees no loss at all"
	case a.scored() && a.c == lossNone && a.i == lossNone:
		return Nothing, "availability only (" + a.letters() + "): no step forward"
	case !a.scored() && w.hears(saysDenial) && !w.hears(saysCode|saysRoot|saysPrivilege|saysBypass|saysSQL|saysWrite|saysRead|saysKey):
		return Nothing, "the description tells of denial of service only: no step forward"
	default:
		return 0, ""
	}
}

// onHost: what a user of the host gains.
func (w *weighing) onHost() (Gain, string) {
	if w.effect.Reach != OnHost {
		return 0, ""
	}
	a := &w.cvss
	switch {
	case w.effect.Needs == Root && w.effect.Reach == OnHost:
		return Nothing, "an administrator's account on the host is needed, and who has it is root there"
	case a.scored() && a.all(lossAll):
		return AsRoot, "AV:L with " + a.letters() + ": a user becomes root"
	case w.hears(saysPrivilege) && w.localEnough():
		return AsRoot, "the description tells of privileges gained by a local user"
	case w.hears(saysCode) && a.scored() && a.version == "2" && w.localEnough():
		return AsRoot, "the description tells of code that a local user runs through it, with " + a.letters()
	case w.is(grantsMore) && a.i == lossAll && a.c == lossAll:
		return AsRoot, named(w.flaw.CWEs, grantsMore) + " on the host with " + a.letters() + ": a user becomes root"
	case a.scored() && a.c == lossAll && a.i == lossAll:
		return AsRoot, "AV:L with " + a.letters() + ": reads and changes all, which is root"
	case !a.scored() && w.hears(saysCode) && !w.hears(saysDenial):
		return AsRoot, "the description tells of code that a local user runs through it, and no vector says less"
	case a.c == lossAll:
		return ReadsFiles, "AV:L with " + a.letters() + ": reads only"
	case !a.scored() && w.hears(saysRead):
		return ReadsFiles, "the description tells of a local user who reads what is not his"
	case a.i == lossAll || w.hears(saysWrite) && (!a.scored() || a.version == "2" && a.i == lossSome):
		return WritesFiles, "a local user changes what is not his"
	default:
		return Nothing, "a local user gains no privilege by it"
	}
}

// localEnough: words of privileges count unless the vector says that little is lost.
func (w *weighing) localEnough() bool {
	a := &w.cvss
	return !a.scored() || a.i == lossAll || a.version == "2" && a.c >= lossSome && a.i >= lossSome && a.a >= lossSome
}

// builtIn: a credential that is the same everywhere lets whoever knows it in.
func (w *weighing) builtIn() (Gain, string) {
	a := &w.cvss
	enough := !a.scored() || a.c == lossAll || a.i >= lossSome
	switch {
	case !enough || w.hears(saysCode) && !(w.is(builtInKey) && w.hears(saysKey)):
		return 0, ""
	case w.is(builtInKey) && w.keyOpens():
		return w.opens(named(w.flaw.CWEs, builtInKey) + ": credentials that are the same everywhere")
	case a.scored() && a.i < lossSome && w.is(tellsOnly): // who has an account is told, say, not how to log in to it
		return 0, ""
	case w.hears(saysKey) && w.class&^(builtInKey|opensDoor|grantsMore|tellsOnly) == 0:
		return w.opens("the description tells of default or built-in credentials")
	default:
		return 0, ""
	}
}

// shells are applications whose accounts are the host's.
var shells = wordSet("openssh ssh dropbear dropbear_ssh telnet telnetd rlogin rsh samba vnc realvnc tightvnc ultravnc xrdp")

// opens: the accounts of a system, a device or a remote shell are the host's; an application's are its own.
func (w *weighing) opens(why string) (Gain, string) {
	ofHost := w.system || w.device || len(w.flaw.Products) == 0
	for _, p := range w.flaw.Products {
		ofHost = ofHost || shells[p.Product]
	}
	if !ofHost {
		return AppAdmin, why + ", to the application, not to the host"
	}
	return ALogin, why
}

// keyOpens: a built-in cryptographic key (321) that only decrypts gives no login.
func (w *weighing) keyOpens() bool {
	return !slices.Contains(w.flaw.CWEs, "CWE-321") || w.cvss.scored() && w.cvss.all(lossAll)
}

// database: whoever puts SQL into a query reads and changes what the application keeps, its accounts included. That is the
// application's administrator; the host only where the description says that commands run.
func (w *weighing) database() (Gain, string) {
	a := &w.cvss
	wordsOnly := w.class&^tellsOnly == 0 && w.hears(saysSQL) && !(w.hears(saysMemory) && w.hears(saysCode))
	if !w.is(inDatabase) && !wordsOnly || w.readyMadeCode() || w.hears(saysCode) && w.cvss.scored() && a.all(lossAll) && w.hears(saysRoot|saysUpload) {
		return 0, ""
	}
	name := "SQL injection"
	switch {
	case a.scored() && a.i <= lossNone && a.c == lossAll:
		return ReadsFiles, name + " with " + a.letters() + ": reads the database"
	case a.scored() && a.i <= lossNone:
		return Nothing, name + " with " + a.letters() + ": too little is lost"
	case a.scored() && a.version != "2" && a.i < lossAll && a.c < lossAll:
		return Nothing, name + " with " + a.letters() + ": too little is lost"
	default:
		return AppAdmin, name + ": reads and changes the application's accounts, which are in its database"
	}
}

// code: the attacker's code runs as the service.
func (w *weighing) code() (Gain, string) {
	a := &w.cvss
	switch {
	case a.scored() && a.all(lossAll) && w.is(runsCode|breaksMemory):
		return w.asService(named(w.flaw.CWEs, runsCode|breaksMemory) + " with " + a.letters())
	case w.hears(saysCode) && (!a.scored() || a.all(lossAll)):
		return w.asService("the description tells of code execution")
	case w.readyMadeCode():
		return w.asService("Metasploit has an exploit that runs code over it, with " + a.letters())
	case a.scored() && w.hears(saysCode|saysUpload) && w.partialCode():
		return w.asUser("the description tells of code execution, with " + a.letters())
	case a.scored() && a.version == "2" && a.all(lossSome) && w.class == 0 && w.hears(saysMemory):
		return w.asUser("the description tells of memory overwritten, with " + a.letters())
	case a.scored() && w.is(runsCode|breaksMemory) && w.partialCode():
		return w.asUser(named(w.flaw.CWEs, runsCode|breaksMemory) + " with " + a.letters())
	case !a.scored() && w.is(runsCode):
		return w.asService(named(w.flaw.CWEs, runsCode) + ", no vector")
	case !a.scored() && w.hears(saysUpload) && w.hears(saysWeb|saysRemote) && !w.hears(saysDenial):
		return w.asService("the description tells of uploading files that the server runs")
	case !a.scored() && w.hears(saysMemory) && w.hears(saysRemote) && !w.hears(saysDenial) && w.effect.Reach == OverNetwork:
		// 78 of 100 CVEs whose words are these and that have a vector lose all.
		return w.asService("the description tells of memory overwritten by remote attackers")
	case !a.scored() && w.hears(saysRoot) && w.hears(saysPrivilege|saysRemote|saysAdmin):
		return w.asService("the description tells of gaining the system's privileges")
	default:
		return 0, ""
	}
}

// readyMadeCode: what Metasploit calls an exploit, unlike its auxiliary modules, ends in a payload that runs. Records of
// authentication that is passed by, SQL injection or files written often say no more than the first step of it.
func (w *weighing) readyMadeCode() bool {
	module := func(x intel.Exploit) bool { return x.Source == "metasploit" && x.Kind == "exploit" }
	return w.cvss.scored() && w.cvss.all(lossAll) && w.effect.Reach == OverNetwork && slices.ContainsFunc(w.flaw.Exploits, module)
}

// partialCode: code runs with less than everything lost. What is sent and run counts with any integrity lost; memory that
// breaks only where all three are lost.
func (w *weighing) partialCode() bool {
	a := &w.cvss
	return a.all(lossSome) || a.i >= lossSome && a.c >= lossSome && (w.is(runsCode) || w.hears(saysCode))
}

// asService is what the service runs as: root where the system or device itself is weak; the person where somebody opens
// it.
func (w *weighing) asService(why string) (Gain, string) {
	switch {
	case w.effect.Lures && w.hears(saysRoot) && w.hears(saysCode|saysPrivilege):
		return AsRoot, why + ", in the kernel or as the system"
	case w.effect.Lures:
		return AsUser, why + ": runs as who opens it"
	case w.device:
		return AsRoot, why + ", in a device's firmware: root"
	case w.system:
		return AsRoot, why + ", in the operating system: root"
	case w.hears(saysRoot):
		return AsRoot, why + ", as root or the system"
	default:
		return AsService, why + ": what the service runs as"
	}
}

func (w *weighing) asUser(why string) (Gain, string) {
	if w.device && w.cvss.version == "2" && !w.effect.Lures {
		return AsRoot, why + ", in a device's firmware: root"
	}
	return AsUser, why + ": in part, so a user"
}

// door: authentication is passed by, or rights are not asked for.
func (w *weighing) door() (Gain, string) {
	a := &w.cvss
	if !w.is(opensDoor) && !(w.is(grantsMore) && w.effect.Reach != OnHost) && !w.hears(saysBypass|saysPrivilege|saysAdmin) {
		return 0, ""
	}
	strong := w.is(opensDoor|grantsMore) || w.hears(saysBypass)
	name := named(w.flaw.CWEs, opensDoor|grantsMore)
	if name == "" {
		name = "the description tells of rights that are not asked for"
	}
	switch {
	case a.scored() && w.device && a.all(lossAll):
		return AsRoot, name + " with " + a.letters() + " in a device's firmware: its administrator is root"
	case a.scored() && a.all(lossAll) && w.system && w.hears(saysPrivilege|saysRoot):
		return AsRoot, name + " with " + a.letters() + " in the operating system: root"
	case a.scored() && a.c == lossNone && w.hears(saysWrite):
		return 0, ""
	case a.scored() && (a.i == lossAll || a.version == "2" && a.all(lossSome)) && strong:
		return AppAdmin, name + " with " + a.letters() + ": the application's administrator"
	case a.scored() && a.i == lossAll && w.hears(saysAdmin|saysPrivilege):
		return AppAdmin, "the description tells of an administrator's rights, with " + a.letters()
	case !a.scored() && w.hears(saysPrivilege) && w.effect.Reach != FromNowhere:
		return AppAdmin, "the description tells of rights gained in the application"
	case !a.scored() && w.hears(saysBypass) && (w.hears(saysAdmin) || w.is(opensDoor)):
		return AppAdmin, "the description tells of authentication passed by"
	default:
		return 0, ""
	}
}

// total: everything is lost, and nothing says how.
func (w *weighing) total() (Gain, string) {
	a := &w.cvss
	if !a.scored() || !a.all(lossAll) {
		return 0, ""
	}
	if w.is(tellsOnly) && w.class&^(tellsOnly|namesFile) == 0 {
		return ReadsFiles, named(w.flaw.CWEs, tellsOnly) + " discloses, though " + a.letters() + " says that all is lost"
	}
	if w.class == 0 && w.hears(saysRead|saysTell) && !w.hears(saysCode|saysMemory|saysUpload|saysWrite|saysPrivilege|saysAdmin) {
		return ReadsFiles, "the description tells only of what is read, though " + a.letters() + " says that all is lost"
	}
	return w.asService("all is lost (" + a.letters() + ") and no rule knows better")
}

// partial: something is read or written.
func (w *weighing) partial() (Gain, string) {
	a := &w.cvss
	files := w.is(namesFile)
	switch {
	case a.c == lossAll && a.i == lossAll:
		return AppAdmin, a.letters() + ": reads and changes all of the application"
	case a.c == lossAll:
		return ReadsFiles, a.letters() + ": reads only"
	case a.scored() && a.c == lossSome && a.version == "2" && (files || w.hears(saysRead)),
		a.scored() && a.version == "2" && a.i == lossSome && files && w.hears(saysRead) && !w.hears(saysWrite):
		return ReadsFiles, a.letters() + " in version 2, and the description tells what is read"
	case a.scored() && a.c == lossSome && a.version == "2" && a.i == lossNone && w.is(breaksMemory):
		return ReadsFiles, named(w.flaw.CWEs, breaksMemory) + " with " + a.letters() + " in version 2: reads memory"
	case a.i == lossAll && (files || w.hears(saysWrite|saysUpload) || w.is(runsCode)):
		return WritesFiles, a.letters() + ": writes files"
	case a.scored() && a.i >= lossSome && a.version == "2" && w.hears(saysWrite):
		return WritesFiles, a.letters() + " in version 2, and the description tells of files written"
	case a.scored():
		return Nothing, a.letters() + ": too little is lost for a step forward"
	case w.hears(saysWrite):
		return WritesFiles, "the description tells of files written"
	case w.hears(saysRead) || files:
		return ReadsFiles, "the description tells of what is read"
	case w.hears(saysTell):
		return Nothing, "the description tells of some disclosure, no vector says how much"
	default:
		return 0, ""
	}
}
