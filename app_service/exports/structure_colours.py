"""The colours of structures, as in the viewers (ui_service/static/structures.js) and the table (lightbox.css).

The first six are those of Okabe and Ito (2008), "Color Universal Design". The others were each chosen farthest from all
before it, in CIELAB, as seen with normal vision and without one kind of cone (Machado, Oliveira and Fernandes 2009).
Nobody can name 32 colours by sight: every structure has its number beside it too.
"""

STRUCTURES = tuple(
    bytes.fromhex(
        "56b4e9 e69f00 009e73 f0e442 cc79a7 d55e00 801aff ccffb2 "
        "6666e6 804c99 e6004c 80ffe6 336633 b2cc66 993366 ffb2b2 "
        "991ab2 ccb280 99e6ff 8099ff b21a00 ff4ccc 999933 ff4c80 "
        "4c661a 99ff80 80cc33 804cff 66804c b266b2 99ccff ff99cc"
    )[at : at + 3]
    for at in range(0, 96, 3)
)  # red, green, blue


def colour_of(index: int) -> str:
    """The colour of a structure's number, which begins at 1, as #rrggbb; after the last comes the first again."""
    return f"#{STRUCTURES[(index - 1) % len(STRUCTURES)].hex()}"
