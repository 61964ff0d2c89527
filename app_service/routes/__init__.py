"""One blueprint a noun; `web.py` lists them."""
