"""The web app: three screens over the `Assistant`, served on this computer.

Screens ask the assistant and render what it says; they retrieve nothing and
hold no prompt text.
"""
