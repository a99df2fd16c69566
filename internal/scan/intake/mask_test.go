package intake_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/patchscout/patchscout/internal/scan/intake"
)

// Secrets below are made up; a few are put together here so that no tool takes them for real ones.
var masked = []struct{ name, in, want string }{
	{"basic login", "GET / HTTP/1.1\r\nAuthorization: Basic dTpw\r\nHost: a", "GET / HTTP/1.1\r\nAuthorization: Basic ****\r\nHost: a"},
	{"any case", "proxy-authorization:bearer abc.def\n", "proxy-authorization:bearer *******\n"},
	{"digest login", `Authorization: Digest username="u", response="6629fae4"` + "\nX: y",
		`Authorization: Digest ********="*"* ********="********"` + "\nX: y"},
	{"a header in JSON", `{"Authorization":"Bearer abc","Host":"h"}`, `{"Authorization":"Bearer ***","Host":"h"}`},
	{"a request in JSON", `{"request":"GET / HTTP/1.1\r\nCookie: a=bcd; e=fg\r\nHost: h","next":"x"}`,
		`{"request":"GET / HTTP/1.1\r\nCookie: a=***; e=**\r\nHost: h","next":"x"}`},
	{"a request as JSON's list", `["Authorization: Basic YWI=","Host: h"]`, `["Authorization: Basic ****","Host: h"]`},
	{"digest in JSON", `{"r":"Authorization: Digest username=\"u\", response=\"ab\"\r\nHost: h","s":1}`,
		`{"r":"Authorization: Digest ********=\"*\"* ********=\"**\"\r\nHost: h","s":1}`},
	{"a cookie that is set", "Set-Cookie: SID=31d4d96e; Path=/; HttpOnly\nX: y", "Set-Cookie: SID=********; Path=/; HttpOnly\nX: y"},
	{"cookies as JSON's list", `{"set-cookie":["a=bc; Path=/", "d=ef"],"x":"a=b"}`, `{"set-cookie":["a=**; Path=/", "d=**"],"x":"a=b"}`},
	{"a cookie in quotation marks", "Cookie: a=\"b c\"; d=e\nX: y", "Cookie: a=\"* *\"; d=*\nX: y"},
	{"a cookie without a name", "Cookie: abcdef\n", "Cookie: ******\n"},
	{"a cookie in XML", "<o>Cookie: a=bc</o><p>a=bc</p>", "<o>Cookie: a=**</o><p>a=bc</p>"},
	{"lines as XML's entities", "<o t=\"Cookie: a=bc&#xA;Host: h\"/>", "<o t=\"Cookie: a=**&#xA;Host: h\"/>"},
	{"keys", "X-Api-Key: abc\nX-ApiKeys: accessKey=aa; secretKey=bb;\nX-Auth-Token: ccc\n", "X-Api-Key: ***\nX-ApiKeys: accessKey=**; secretKey=**;\nX-Auth-Token: ***\n"},
	{"a password in a URL", "see https://user:pass@host:8443/x@y and http://h:80/", "see https://user:****@host:8443/x@y and http://h:80/"},
	{"a password in a query", "https://h/login?user=u&password=hunter2&x=1", "https://h/login?user=u&password=*******&x=1"},
	{"a password in JSON", `{"db_password" : "a\"b\\", "n":"v"}`, `{"db_password" : "******", "n":"v"}`},
	{"JSON in JSON", `{"body":"{\"password\":\"a\\\"b\",\"n\":\"v\"}","x":1}`, `{"body":"{\"password\":\"******\",\"n\":\"v\"}","x":1}`},
	{"JSON in XML", `<o>{&quot;secret&quot;:&quot;a&amp;b&quot;,&quot;n&quot;:1}</o>`, `<o>{&quot;secret&quot;:&quot;*******&quot;,&quot;n&quot;:1}</o>`},
	{"an element", "<password>a&amp;b</password><user>u</user>", "<password>*******</password><user>u</user>"},
	{"a setting of Nessus", "<item><pluginName>SSH settings</pluginName><preferenceName>SSH password (unsafe!) :</preferenceName>" +
		"<preferenceValues>geheim</preferenceValues><selectedValue>geheim</selectedValue></item><item><value>x</value></item>",
		"<item><pluginName>SSH settings</pluginName><preferenceName>SSH password (unsafe!) :</preferenceName>" +
			"<preferenceValues>******</preferenceValues><selectedValue>******</selectedValue></item><item><value>x</value></item>"},
	{"a setting of OpenVAS", "<preference><type>password</type><name>Key</name><value>ab</value></preference><value>cd</value>",
		"<preference><type>password</type><name>Key</name><value>**</value></preference><value>cd</value>"},
	{"a packed request of Burp", `<request base64="true"><![CDATA[R0VU]]></request><path>/</path>`, `<request base64="true"><![CDATA[****]]></request><path>/</path>`},
	{"a private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nog==\n-----END RSA PRIVATE KEY-----\nnext", "-----BEGIN RSA PRIVATE KEY-----\n****\n****\n-----END RSA PRIVATE KEY-----\nnext"},
	{"a private key in JSON", `{"k":"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n","x":"y"}`, `{"k":"-----BEGIN PRIVATE KEY-----\n****\n-----END PRIVATE KEY-----\n","x":"y"}`},
	{"curl", `curl -X 'GET' -u 'me:pa ss' -H 'Authorization: Bearer abc' 'https://h/'`, `curl -X 'GET' -u 'me:** **' -H 'Authorization: Bearer ***' 'https://h/'`},
	{"curl in JSON", `{"c":"curl --user me:pw -H \"Cookie: a=b\" https://h/","x":"y"}`, `{"c":"curl --user me:** -H \"Cookie: a=*\" https://h/","x":"y"}`},
	{"code in JSON", `{"t":"login('Password: 'x, n)\n","x":"y"}`, `{"t":"login('Password: '** ****","x":"y"}`},
	{"code in XML", `<a t="password='x" u='v'/>`, `<a t="password='*" u='v'/>`},
	{"code with both marks", `{"t":"'password': 'a\"b\\'","x":"y"}`, `{"t":"'password': '******'","x":"y"}`},
	{"a header that ends CDATA", "<![CDATA[Authorization: Basic dTpw]]></r><s/>", "<![CDATA[Authorization: Basic ****]]></r><s/>"},
	{"an element in JSON", `{"body":"<password>a\"b]</password>","x":1}`, `{"body":"<password>*****</password>","x":1}`},
	{"an encrypted key", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\nMIIE\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN RSA PRIVATE KEY-----\n********** ***********\n********* ****************************\n\n****\n-----END RSA PRIVATE KEY-----"},
	{"tokens", "id AK" + "IAABCDEFGHIJKLMNOP, gh" + "p_0123456789abcdefABCD.", "id AK" + "IA****************, gh" + "p_********************."},
}

var unmasked = []string{
	"-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n",
	"Title: Default Password: how to change it",
	`<name>Weak Password Policy</name><value>CVSS:3.1/AV:N</value>`,
	`<input type="password" name="password">`,
	"ClearTextPassword=0 password==x",
	"sort -u a:b; curl http://h:80/a@b",
	`{"password": 12345, "Authorization": null}`,
	"SAKIAABCDEFGHIJKLMNOPQ ssh-ed25519 user@host:22",
	`{"label":"Password:","value":"x","l":["Password: ","Cookie:","secret:\\"]}`,
	`{"text":"print('Cracked! Password:', number)\n","x":"y"}`,
	`{"url":"?password=","x":"password=\"","y":"password='"}`,
	`"Password:",x,"y";"api_key=";"Set-Cookie:"` + "\n",
	`<a t="Password:" u="v"/><b t='Password:' u='v'/>`,
	`{"usage":"mysql -u <user> -p<password>","x":"y"}`,
	"usage,login <password>\nnext,row <b>\n",
	`{"text":"it holds -----BEGIN PRIVATE KEY-----, which","x":"y"}`,
	"2026-01-02T10:11:12Z cpe:/a:openbsd:openssh:7.2p2",
}

func TestCredentialsAreOverwritten(t *testing.T) {
	for _, c := range masked {
		if got := intake.MaskText(c.in); got != c.want {
			t.Errorf("%s:\n in   %s\n got  %s\n want %s", c.name, c.in, got, c.want)
		}
	}
	for _, text := range unmasked {
		if got := intake.MaskText(text); got != text {
			t.Errorf("%s\nbecame %s", text, got)
		}
	}
}

func TestMaskingIsTheSameInAnyPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		text := someReport(rng, 1+rng.IntN(60))
		want := intake.MaskText(text)
		whole, err := io.ReadAll(intake.Masked(iotest.OneByteReader(strings.NewReader(text))))
		if err != nil || string(whole) != want {
			t.Fatalf("byte by byte (%v):\n%s\n%s", err, whole, want)
		}
		var out bytes.Buffer
		w := intake.NewMaskWriter(&out)
		for rest := text; rest != ""; {
			n := min(len(rest), 1+rng.IntN(900))
			if _, err := io.WriteString(w, rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil || out.String() != want {
			t.Fatalf("in pieces (%v):\n%s\n%s", err, out.String(), want)
		}
		if again := intake.MaskText(want); again != want {
			t.Fatalf("masked again it is another text:\n%s\n%s", again, want)
		}
	}
}

// someReport strings together what is in the tables and what tends to be around it.
func someReport(rng *rand.Rand, parts int) string {
	var b strings.Builder
	for range parts {
		switch rng.IntN(4) {
		case 0:
			b.WriteString(masked[rng.IntN(len(masked))].in)
		case 1:
			b.WriteString(unmasked[rng.IntN(len(unmasked))])
		case 2:
			b.WriteString(strings.Repeat(string(`x\"=:;<-_ `[rng.IntN(10)]), rng.IntN(700)))
		default:
			c := masked[rng.IntN(len(masked))].in
			b.WriteString(c[:rng.IntN(len(c))])
		}
		b.WriteString([]string{"", "\n", " "}[rng.IntN(3)])
	}
	return b.String()
}

func TestMaskedDocumentsCanBeRead(t *testing.T) {
	for _, c := range masked {
		document, _ := json.Marshal(map[string]any{"a": c.in, "b": []string{c.in, c.in}, "c": map[string]string{"password": c.in, "Cookie": c.in}})
		var back map[string]any
		if err := json.Unmarshal([]byte(intake.MaskText(string(document))), &back); err != nil || len(back) != 3 {
			t.Errorf("%s: JSON: %v\n%s\n%s", c.name, err, document, intake.MaskText(string(document)))
		}
		var text bytes.Buffer
		text.WriteString(`<a x="`)
		_ = xml.EscapeText(&text, []byte(c.in))
		text.WriteString(`"><b>`)
		_ = xml.EscapeText(&text, []byte(c.in))
		text.WriteString(`</b></a>`)
		d := xml.NewDecoder(strings.NewReader(intake.MaskText(text.String())))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: XML: %v\n%s\n%s", c.name, err, text.String(), intake.MaskText(text.String()))
				break
			}
		}
	}
}

func TestMaskingWideText(t *testing.T) {
	wide := "\xff\xfeA\x00:\x00"
	for _, c := range "\nX-Api-Key: abc\n" {
		wide += string(c) + "\x00"
	}
	got, err := io.ReadAll(intake.Masked(intake.Narrow(strings.NewReader(wide))))
	if err != nil || string(got) != "A:\nX-Api-Key: ***\n" {
		t.Errorf("%q, %v", got, err)
	}
	latin := "\xe4 <?xml"
	if got, _ := io.ReadAll(intake.Narrow(strings.NewReader(latin))); string(got) != latin {
		t.Errorf("%q became %q", latin, got)
	}
}

func FuzzMask(f *testing.F) {
	for _, c := range masked {
		f.Add(c.in, 7)
	}
	f.Add(strings.Repeat(`\`, 40), 21)
	f.Fuzz(func(t *testing.T, text string, piece int) {
		want := intake.MaskText(text)
		if len(want) != len(text) || strings.Count(want, "\n") != strings.Count(text, "\n") {
			t.Fatalf("%q became %q", text, want)
		}
		document, _ := json.Marshal(map[string]string{"a": text, "password": text, "z": ""})
		var back map[string]string
		if err := json.Unmarshal([]byte(intake.MaskText(string(document))), &back); err != nil || len(back) != 3 {
			t.Fatalf("%s became %s: %v", document, intake.MaskText(string(document)), err)
		}
		var out bytes.Buffer
		w := intake.NewMaskWriter(&out)
		for rest := text; rest != ""; {
			n := min(len(rest), 1+(piece&1023))
			_, _ = io.WriteString(w, rest[:n])
			rest = rest[n:]
		}
		if err := w.Close(); err != nil || out.String() != want {
			t.Fatalf("in pieces of %d: %q, whole: %q", 1+(piece&1023), out.String(), want)
		}
	})
}

func BenchmarkMask(b *testing.B) {
	item := `<ReportItem port="443" svc_name="www" protocol="tcp" severity="2" pluginID="57582" pluginName="SSL Self-Signed Certificate" pluginFamily="General">
<description>The X.509 certificate chain for this service is not signed by a recognized certificate authority.</description>
<see_also>https://www.example.org/a</see_also><plugin_output>GET / HTTP/1.1
Host: example.org
Cookie: a=bcdefgh; d=efghij

HTTP/1.1 200 OK</plugin_output></ReportItem>
`
	report := strings.Repeat(item, 20_000)
	b.SetBytes(int64(len(report)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.Copy(io.Discard, intake.Masked(strings.NewReader(report))); err != nil {
			b.Fatal(err)
		}
	}
}
