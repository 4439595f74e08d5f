"""Documents that several scripts write, each its own section between marks."""


def write(path, title, text, marks):
    """Puts a section between its marks, or at the end where they are not there yet. `title` is that of a document that is not there."""
    start, end = marks
    path.parent.mkdir(exist_ok=True)
    before = path.read_text() if path.exists() else f"# {title}\n\n"
    block = f"{start}\n{text}{end}\n"
    if start in before and end in before:
        head, tail = before.split(start)[0], before.split(end, 1)[1].lstrip("\n")
        path.write_text(head + block + ("\n" + tail if tail else ""))
    else:
        path.write_text(before.rstrip("\n") + "\n\n" + block)
