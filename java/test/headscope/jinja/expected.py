"""Writes expected.json: what Jinja2, set up as transformers sets it up, makes of the templates and snippets here.

    python3 expected.py          writes the file
    python3 expected.py --check  fails if the file differs

Needs Debian's python3-jinja2, at least 3.1.
"""

import json
import pathlib
import sys
from datetime import datetime

import jinja2
import jinja2.ext
import jinja2.sandbox

HERE = pathlib.Path(__file__).parent
NOW = datetime(2026, 11, 6, 9, 5, 7)
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


class Generation(jinja2.ext.Extension):
    """The tag {% generation %}, which changes nothing in the text."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_same"), [], [], body).set_lineno(line)

    def _same(self, caller):
        return caller()


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


def render(source, messages, generate):
    try:
        return {"text": environment().from_string(source).render(
            messages=messages, tools=None, documents=None, add_generation_prompt=generate, **TOKENS)}
    except Exception as failure:  # whatever a template does wrong
        return {"error": type(failure).__name__}


def main():
    conversations = json.loads((HERE / "conversations.json").read_text("utf-8"))
    expected = {"templates": {}, "snippets": []}
    for path in sorted((HERE / "templates").glob("*.jinja")):
        source = path.read_bytes().decode("utf-8")
        expected["templates"][path.name] = [
            [render(source, messages, generate) for generate in (False, True)] for messages in conversations]
    for snippet in (HERE / "snippets.txt").read_bytes().decode("utf-8").split("\n====\n"):
        expected["snippets"].append(render(snippet, conversations[1], True))
    text = json.dumps(expected, ensure_ascii=False, indent=1) + "\n"
    path = HERE / "expected.json"
    if sys.argv[1:] == ["--check"]:
        if path.read_bytes().decode("utf-8") != text:
            sys.exit("expected.json differs from what Jinja2 " + jinja2.__version__ + " renders: run expected.py")
    else:
        path.write_bytes(text.encode("utf-8"))


main()
