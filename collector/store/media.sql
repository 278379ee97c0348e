-- Version 3. Texts that are the base64 of a file (an image in a message): `texts` holds what stands before it, for
-- example "data:image/png;base64,", and the bytes are in `blobs`, once for all their spellings. The whole text is
-- texts.text followed by base64(blobs.data); texts.hash is the hash of the whole.
create table encoded(
  hash text primary key,
  blob text not null
) without rowid;
