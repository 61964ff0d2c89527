"""B01 to B96: what comes in, and what must come back, one table of four files.

The numbers are those of the acceptance plan (96 bad inputs); where the portal was designed otherwise the row says so.
A refusal is a status and a code, and a word that its text must hold: the text says what was expected or what came.
"""

from tests.bad_input import table_archives, table_dicoms, table_pictures, table_requests, table_volumes

ROWS = table_pictures.ROWS | table_volumes.ROWS | table_dicoms.ROWS | table_archives.ROWS | table_requests.ROWS
