"""E-mail through real SMTP servers: what arrives is what was sent, and what goes wrong is told apart. Messages are read with Python's email package."""

import contextlib
import email
import email.header
import email.policy
import email.utils
import json
import pathlib
import socket
import socketserver
import ssl
import threading
import unittest

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

import harness
from test_tls import Authority

SENDER, RECEIVER = "city@alder.example", "marie@home.example"
ARABIC = "تقريرك رقم ٤٢ عن مصباح الشارع المكسور في شارع الجمهورية قيد المعالجة، وسنخبرك بما سيحدث"


def lines(message):
    """A message's text with the line ends of this machine."""
    return message.get_content().replace("\r\n", "\n")


class Inbox:
    """What aiosmtpd gives its messages to; `replies` says what it answers at MAIL, RCPT and DATA instead of taking them."""

    def __init__(self, **replies):
        self.replies, self.messages, self.clients = replies, [], set()

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        self.clients.add(session.peer)
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if "mail" in self.replies:
            return self.replies["mail"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if "rcpt" in self.replies:
            return self.replies["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if "data" in self.replies:
            return self.replies["data"]
        self.messages.append(envelope)
        return "250 OK"

    def only(self):
        """The one message that came. Not a property: aiosmtpd looks at those of its handlers."""
        [envelope] = self.messages
        return email.message_from_bytes(envelope.content, policy=email.policy.default)


class Scripted(socketserver.ThreadingTCPServer):
    """A server that says lines in their turn, one at the beginning and one for each line that comes, then ends the connection or falls silent."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self, *lines, falls_silent=False):
        self.lines, self.silent, self.released = lines, falls_silent, threading.Event()
        super().__init__(("127.0.0.1", 0), ScriptedHandler)


class ScriptedHandler(socketserver.StreamRequestHandler):
    def handle(self):
        for index, line in enumerate(self.server.lines):
            if index and not self.rfile.readline():
                return
            self.wfile.write(line.encode() + b"\r\n")
        if self.server.silent:
            self.server.released.wait(60)
        else:
            self.rfile.readline()


@contextlib.contextmanager
def serving(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        if isinstance(server, Scripted):
            server.released.set()
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def mail_server(inbox, **options):
    """Its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, ready_timeout=30, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


class MailCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = harness.TemporaryFolder.of(cls)
        cls.conurb = harness.Conurb()
        cls.authority = Authority(cls.folder)
        cls.certificate, cls.key = cls.authority.sign("mail")
        cls.password = cls.folder / "password"
        cls.password.write_text("swordfish, with ü\n")

    def tls_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def send(self, port, *arguments, to=RECEIVER, text=None, **settings):
        """Runs `conurb mail test`; `settings` are those of `mail.`, written as in the environment."""
        mail = {"HOST": "127.0.0.1", "PORT": port, "SECURITY": "none", "FROM": SENDER, "SECONDS_MAX": 20} | settings
        environment = {f"CONURB_MAIL_{name}": str(value) for name, value in mail.items() if value is not None}
        if "NAME" in mail:
            environment["CONURB_SITE_NAME"] = mail["NAME"]
        if text is not None:
            path = self.folder / "text"
            path.write_bytes(text.encode())
            arguments += ("--text", path)
        return self.conurb.run("mail", "test", to, "--data", self.folder / "data", *arguments, environment=environment, timeout=90)

    def assert_sent(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(RECEIVER, done.stdout)

    def assert_refused(self, done, *words):
        self.assertEqual(done.returncode, 1, done.stderr + done.stdout)
        for word in words:
            self.assertIn(word, done.stderr)
        # Neither of whom it is about, nor of the login.
        for secret in ("swordfish", RECEIVER, "marie"):
            self.assertNotIn(secret, done.stderr)


class DeliveryTest(MailCase):
    def delivered(self, text, *arguments, **settings):
        inbox = Inbox()
        with mail_server(inbox) as port:
            self.assert_sent(self.send(port, *arguments, text=text, **settings))
        return inbox

    def test_a_test_message_arrives_with_all_its_headers(self):
        inbox = Inbox()
        with mail_server(inbox) as port:
            self.assert_sent(self.send(port))
        message, [envelope] = inbox.only(), inbox.messages
        self.assertEqual((envelope.mail_from, envelope.rcpt_tos), (SENDER, [RECEIVER]))
        self.assertEqual(message["From"].addresses[0].addr_spec, SENDER)
        self.assertEqual(message["From"].addresses[0].display_name, "Conurb")
        self.assertEqual([address.addr_spec for address in message["To"].addresses], [RECEIVER])
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        self.assertTrue(message["Message-ID"].endswith("@alder.example>"))
        self.assertIsNotNone(message["Date"].datetime)
        self.assertEqual(message.get_content_type(), "text/plain")
        self.assertIn("the settings are right", message.get_content())
        self.assertEqual([message.defects, *(header.defects for header in message.values())], [[]] + [()] * len(message))

    def test_texts_in_any_script_arrive_as_they_were(self):
        for subject, name, text, language in (
            (ARABIC, "مدينة ألدر", ARABIC + "\n\nשלום\n", "ar"),
            ("👩‍👩‍👧‍👦" * 15, "Ville d’Alder — voirie et éclairage public, service des réclamations des habitants", "🏳️‍🌈 e" + "\u0301" * 200 + "\n", "fr"),
            ("=?UTF-8?B?aGk=?= \"quoted\" <x@y.example>", 'A "quoted" \\ name, with a comma', "= =3D =\n", "en"),
        ):
            with self.subTest(subject=subject):
                inbox = self.delivered(text, "--subject", subject, "--language", language, NAME=name)
                message = inbox.only()
                self.assertEqual(message["Subject"], subject)
                # The parser of addresses in the new policy puts spaces between encoded words; the old one reads them as RFC 2047 says.
                sender = email.message_from_bytes(inbox.messages[0].content)["From"]
                parsed, address = email.utils.parseaddr(sender)
                self.assertEqual((str(email.header.make_header(email.header.decode_header(parsed))), address), (name, SENDER))
                self.assertEqual(message["From"].addresses[0].addr_spec, SENDER)
                self.assertEqual(message["Content-Language"], language)
                self.assertEqual(lines(message), text)
                self.assertEqual([header.defects for header in message.values()], [()] * len(message))

    def test_long_lines_and_lines_that_begin_with_a_dot_arrive_as_they_were(self):
        text = ".\n..\n...dots\n.\n" + "x" * 5000 + "\n" + "é " * 3000 + "\nends with a space \n\ttab\t\nFrom here\n" + "." * 500 + "\n.\n"
        inbox = self.delivered(text)
        self.assertEqual(lines(inbox.only()), text)
        [envelope] = inbox.messages
        self.assertTrue(all(len(line) <= 78 for line in envelope.content.split(b"\r\n")))
        self.assertTrue(envelope.content.isascii())
        self.assertNotIn(b"\n", envelope.content.replace(b"\r\n", b""))
        # It begins with a dot, too, and may be as large as a message is.
        large = "".join(f".{number}\n" for number in range(100_000))
        self.assertEqual(lines(self.delivered(large).only()), large)

    def test_a_text_that_is_too_large_or_not_utf_8_is_not_sent(self):
        inbox = Inbox()
        with mail_server(inbox) as port:
            self.assert_refused(self.send(port, text="é" * 400_000), "bytes")
            self.assertEqual(self.send(port, text="x" * 1_000_001).returncode, 64)
            path = self.folder / "latin-1"
            path.write_bytes(b"\xe9")
            self.assertEqual(self.send(port, "--text", path).returncode, 64)
            self.assertEqual(self.send(port, "--subject", "a\nBcc: x@y.example").returncode, 64)
            for wrong in ("marie", "a@b,c@d", "é@b", "a@[127.0.0.1]"):
                self.assertEqual(self.send(port, to=wrong).returncode, 64, wrong)
        self.assertEqual(inbox.messages, [])


class SecurityTest(MailCase):
    def test_starttls_works_with_an_authority_that_is_named_and_not_without(self):
        inbox = Inbox()
        with mail_server(inbox, tls_context=self.tls_context(), require_starttls=True) as port:
            self.assert_sent(self.send(port, SECURITY="starttls", CA_FILE=self.authority.certificate))
            self.assert_refused(self.send(port, SECURITY="starttls"), "not trusted")
            self.assert_refused(self.send(port, SECURITY="tls", CA_FILE=self.authority.certificate), "TLS")
            self.assert_refused(self.send(port, SECURITY="none"), "user and the password")
        self.assertEqual(len(inbox.messages), 1)

    def test_a_certificate_for_another_host_is_not_trusted(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (self.folder / "names").write_text("subjectAltName=DNS:other.example\nbasicConstraints=CA:FALSE\n")
        context.load_cert_chain(*self.authority.sign("other"))
        with mail_server(Inbox(), tls_context=context) as port:
            self.assert_refused(self.send(port, SECURITY="starttls", CA_FILE=self.authority.certificate), "not trusted", "another host")

    def test_without_starttls_at_the_server_nothing_is_sent(self):
        inbox = Inbox()
        with mail_server(inbox) as port:
            self.assert_refused(self.send(port, SECURITY="starttls"), "does not offer STARTTLS")
        self.assertEqual(inbox.messages, [])

    def test_tls_from_the_start(self):
        inbox = Inbox()
        with mail_server(inbox, ssl_context=self.tls_context()) as port:
            self.assert_sent(self.send(port, SECURITY="tls", CA_FILE=self.authority.certificate))
            self.assert_refused(self.send(port, SECURITY="tls"), "not trusted")
        self.assertEqual(len(inbox.messages), 1)

    def test_the_right_password_opens_and_a_wrong_one_does_not(self):
        def authenticator(server, session, envelope, mechanism, data):
            isRight = isinstance(data, LoginPassword) and (data.login, data.password.decode()) == (b"conurb", "swordfish, with ü")
            return AuthResult(success=isRight, handled=isRight)

        inbox = Inbox()
        options = dict(tls_context=self.tls_context(), require_starttls=True, auth_required=True, authenticator=authenticator)
        secure = dict(SECURITY="starttls", CA_FILE=self.authority.certificate)
        with mail_server(inbox, **options) as port:
            self.assert_sent(self.send(port, **secure, USER="conurb", PASSWORD_FILE=self.password))
            self.assert_refused(self.send(port, **secure, USER="other", PASSWORD_FILE=self.password), "user and the password", "settings")
            self.assert_refused(self.send(port, **secure), "user and the password")
        self.assertEqual(len(inbox.messages), 1)


class FaultTest(MailCase):
    def test_4xx_is_for_another_time_and_5xx_for_good(self):
        for stage in ("mail", "rcpt", "data"):
            with mail_server(Inbox(**{stage: "451 4.7.1 marie@home.example is greylisted"})) as port:
                self.assert_refused(self.send(port), "451", "another try")
            with mail_server(Inbox(**{stage: "550 5.1.1 marie@home.example: no such mailbox"})) as port:
                done = self.send(port)
                self.assert_refused(done, "550", "for good")
                self.assertNotIn("another try", done.stderr)

    def test_a_server_that_greets_nobody(self):
        with serving(Scripted("554 no service here")) as port:
            self.assert_refused(self.send(port), "554", "serves nothing")
        with serving(Scripted("421 too many connections")) as port:
            self.assert_refused(self.send(port), "421", "another try")
        with serving(Scripted("SSH-2.0-OpenSSH_9.2", falls_silent=True)) as port:
            self.assert_refused(self.send(port, SECONDS_MAX=1), "in time")

    def test_a_server_that_falls_silent_is_given_up_in_time(self):
        for lines in ((), ("220 hello",), ("220 hello", "250 hello", "250 ok", "250 ok"), ("220 hello", "250 hello", "250 ok", "250 ok", "354 go on")):
            with serving(Scripted(*lines, falls_silent=True)) as port:
                self.assert_refused(self.send(port, SECONDS_MAX=1), "in time", "another try")

    def test_a_server_that_ends_the_connection(self):
        for lines in (("220 hello",), ("220 hello", "250 hello", "250 ok"), ("220 hello", "250 hello", "250 ok", "250 ok", "354 go on")):
            with serving(Scripted(*lines)) as port:
                self.assert_refused(self.send(port), "ended the connection", "another try")

    def test_nothing_listens_and_no_such_host(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.assert_refused(self.send(free.getsockname()[1]), "can't be reached")
        self.assert_refused(self.send(25, HOST="mail.invalid"), "can't be reached")


class MailSettingsTest(MailCase):
    def test_settings_that_are_wrong_are_named(self):
        missing = self.folder / "missing"
        for settings, key in (
            ({"HOST": None}, "mail.host"), ({"HOST": "a b"}, "mail.host"), ({"PORT": 0}, "mail.port"), ({"PORT": "many"}, "mail.port"),
            ({"SECURITY": "ssl"}, "mail.security"), ({"FROM": None}, "mail.from"), ({"FROM": "city"}, "mail.from"), ({"SECONDS_MAX": 301}, "mail.secondsMax"),
            ({"USER": "conurb"}, "mail.passwordFile"), ({"PASSWORD_FILE": self.password}, "mail.user"), ({"USER": "c", "PASSWORD_FILE": missing}, "mail.passwordFile"),
            ({"CA_FILE": missing}, "mail.caFile"),
            ({"HOST": "mail.example", "USER": "c", "PASSWORD_FILE": self.password}, "mail.security"),
        ):
            done = self.send(**({"port": 25} | settings))
            self.assertEqual(done.returncode, 64, f"{settings}: {done.stderr}")
            self.assertIn(key, done.stderr)
            self.assertNotIn("swordfish", done.stderr)

    def test_a_server_does_not_start_with_wrong_ones(self):
        refused = self.conurb.run("serve", "--data", self.folder / "d", environment={"CONURB_MAIL_HOST": "mail.example"}, timeout=30)
        self.assertEqual(refused.returncode, 64)
        self.assertIn("mail.from", refused.stderr)

    def test_they_may_stand_in_the_configuration_file(self):
        inbox = Inbox()
        with mail_server(inbox) as port:
            path = self.folder / "conurb.json"
            path.write_text(json.dumps({"mail": {"host": "127.0.0.1", "port": port, "security": "none", "from": SENDER}, "site": {"name": "Alder"}}))
            self.assert_sent(self.conurb.run("mail", "test", RECEIVER, "--config", path, "--data", self.folder / "data", timeout=60))
        self.assertEqual(inbox.only()["From"].addresses[0].display_name, "Alder")


if __name__ == "__main__":
    harness.main()
