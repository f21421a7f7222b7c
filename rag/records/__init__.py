"""What people leave behind: conversations, feedback, accounts, tokens, in one SQL database.

The only user of SQLAlchemy: SQLite in the data directory by default, any
other database by the setting LINGXUE_DATABASE_URL, which several app
servers can share. Knows nothing of documents, screens or how answers are made.
"""
