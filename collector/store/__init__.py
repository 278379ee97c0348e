"""The one room where SQL is spoken: the file, what is written into it and what is read back."""
