"""Says whether the DKIM signature of the mail on standard input holds. Arguments: name of the record and its key, in place of the DNS."""
import sys

import dkim

_, record, key = sys.argv
answer = f"v=DKIM1; k=rsa; p={key}".encode()
print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, **_: answer if name.decode().rstrip(".") == record else None))
