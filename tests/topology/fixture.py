"""Machines as text: each line of a .tree file is a file, a link or a folder of what stands for /sys.

    path = text       a file; "\\n", "\\xNN", "\\"" as in Python's strings
    path -> target    a symbolic link
    path/             a folder
    # ...             a comment
"""

import pathlib

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"


def unpack(name, folder):
    """The machine's tree below the folder, which is the root that stands for /sys."""
    for line in (FIXTURES / f"{name}.tree").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if " = " in line:
            path, text = line.split(" = ", 1)
        elif line.endswith(" ="):
            path, text = line[:-2], ""
        elif " -> " in line:
            path, target = line.split(" -> ", 1)
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(target)
            continue
        else:
            (folder / line).mkdir(parents=True, exist_ok=True)
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode().decode("unicode_escape").encode("latin-1") + b"\n")
    return folder
