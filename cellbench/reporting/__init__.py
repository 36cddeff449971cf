"""Results → what people read: tables/, charts/, findings/ (claims of studies, judged) and report/ (one page).

captions: what stands above and below tables and figures; standing: how rows stand to the best; answers: the contest of
families in sentences; remedies: the command that trains a method for longer; paragraphs: text wrapped for a terminal;
notebook: tables, charts and findings as a notebook shows them.
"""
