"""Opens a mailbox through IMAP and says what Python's own parser finds in its messages, as JSON, in the order of their arrival."""
import email
import email.policy
import hashlib
import imaplib
import json
import sys


def main():
    _, port, user = sys.argv
    mailbox = imaplib.IMAP4("127.0.0.1", int(port))
    mailbox.login(user, "secret")
    mailbox.select("INBOX", readonly=True)
    numbers = mailbox.search(None, "ALL")[1][0].split()
    found = [message_of(mailbox.fetch(number, "(BODY.PEEK[])")[1][0][1]) for number in numbers]
    mailbox.logout()
    json.dump(found, sys.stdout)


def message_of(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    parts = list(message.walk())
    return {
        "headers": {name.lower(): str(value) for name, value in message.items()},
        "addresses": {name: [a.addr_spec for a in message[name].addresses] for name in ("from", "to", "cc") if message[name]},
        "names": {name: [a.display_name for a in message[name].addresses] for name in ("from", "to", "cc") if message[name]},
        "longest_line": max(len(line) for line in raw.split(b"\r\n")),
        "has_bare_line_ends": b"\n" in raw.replace(b"\r\n", b"") or b"\r" in raw.replace(b"\r\n", b""),
        "defects": [type(defect).__name__ for part in parts for defect in part.defects],
        "tree": tree_of(message),
        "parts": [part_of(part) for part in parts if not part.is_multipart()],
    }


def tree_of(part):
    if not part.is_multipart():
        return part.get_content_type()
    return [part.get_content_type(), *[tree_of(child) for child in part.iter_parts()]]


def part_of(part):
    content = part.get_payload(decode=True)
    return {
        "type": part.get_content_type(),
        "disposition": part.get_content_disposition(),
        "name": part.get_filename(),
        "content_id": part["content-id"],
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "text": part.get_content().replace("\r\n", "\n") if part.get_content_maintype() == "text" and part.get_content_disposition() is None else None,
    }


main()
