"""Actions that ask first: each opens a dialogue and does what was chosen there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtWidgets import QMainWindow

from explorer.gui.dialogs.base import AskDialog, ChooseDialog, HelpDialog, TypeDialog
from explorer.gui.dialogs.search_dialogs import AgreeDialog, SearchDialog
from explorer.gui.dialogs.text_diff import WordsDialog
from explorer.gui.menus import key_sequence
from explorer.gui.theme import Theme
from explorer.session.action_dispatch import ActionDispatcher, Handler
from explorer.session.actions import Action
from explorer.session.controllers.word_search import Hit
from explorer.session.menu_items import networks, reviews
from explorer.session.session import Session


class Choosing(ActionDispatcher, QMainWindow):
    """The part of the window that opens dialogues."""

    theme: Theme
    table: tuple[Action, ...]

    def front(self, name: str) -> None:
        """Bring a panel to the front."""
        raise NotImplementedError

    def choose(self, title: str, entries: list[tuple[str, str]], present: str, then: Callable[[str], object]) -> None:
        """Let one of the entries (key, label) be chosen, and do ``then`` with its key."""
        ChooseDialog(self, title, entries, present, lambda key: self.run_guarded(lambda: then(key))).open()

    def ask(self, title: str, hint: str, then: Callable[[str], object]) -> None:
        """Let a line be typed, and do ``then`` with it."""
        AskDialog(self, title, hint, lambda text: self.run_guarded(lambda: then(text))).open()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "help": self.do_help,
            "palette": self.do_palette,
            "type": self.do_type,
            "edit": self.do_edit,
            "word-by-word": self.do_word_by_word,
            "jump": self.do_jump,
            "search": self.do_search,
            "agree-elsewhere": self.do_agree_elsewhere,
            "clamp": self.do_clamp,
            "reviews": self.do_reviews,
            "corpus": self.do_corpus,
            "networks": self.do_networks,
            "compare": self.do_compare,
            "compare-reviews": self.do_compare_reviews,
        }

    # ---- actions -----------------------------------------------------------------------------------------------

    def do_help(self) -> None:
        HelpDialog(self, self.table).open()

    def do_palette(self) -> None:
        entries = [
            (a.id, f"{a.label}   {key_sequence(a.keys[0]).toString()}   {a.help}")
            for a in self.table
            if a.id != "palette"
        ]
        self.choose("Do", entries, "", self.perform)

    def do_type(self) -> None:
        session = self.opened_session
        TypeDialog(
            self, "Type or paste a review", "", lambda text: self.run_guarded(lambda: session.open_text(text))
        ).open()

    def do_edit(self) -> None:
        session = self.opened_session

        def edit(text: str) -> None:
            self.run_guarded(lambda: session.text_diff.edit(text))
            if session.comparison.review is not None:
                self.do_word_by_word()

        TypeDialog(self, "Edit the present text", session.text_diff.text, edit).open()

    def do_word_by_word(self) -> None:
        session = self.opened_session
        session.text_diff.require_comparison()
        WordsDialog(self, self.theme, session, lambda word: self.run_guarded(lambda: session.look_at(word))).open()

    def do_compare_reviews(self) -> None:
        session = self.opened_session
        none = ("", "none   end the comparison")
        self.choose(
            "Compare this review with",
            [none, *reviews(session)],
            "",
            lambda key: session.comparison.compare_review(session.reviews[int(key)] if key else None),
        )

    def do_search(self) -> None:
        session = self.opened_session

        def go(found: Hit | int) -> None:
            self.run_guarded(
                lambda: session.word_search.open(found) if isinstance(found, Hit) else session.look_at(found)
            )

        SearchDialog(self, session, go).open()

    def do_agree_elsewhere(self) -> None:
        session = self.opened_session
        session.pattern_search.begin()
        AgreeDialog(self, session, lambda place: self.run_guarded(lambda: session.pattern_search.open(place))).open()

    def do_corpus(self) -> None:
        self.front("corpus")

    def do_clamp(self) -> None:
        holding = self.opened_session.ablation
        self.ask(f"Hold {holding.question}", "a value; nothing: the mean of each", holding.clamp_at)

    def do_jump(self) -> None:
        session = self.opened_session
        self.ask("Jump", f"word 1 to {session.stream.snapshot.words}, or a place such as 50%", session.jump_to)

    def do_reviews(self) -> None:
        self.front("reviews")

    def do_networks(self) -> None:
        session = self.opened_session
        here, entries = networks(session)
        self.choose("Networks", entries, here, session.use_network)

    def do_compare(self) -> None:
        comparing = self.opened_session.comparison
        _, entries = networks(self.opened_session)
        none = ("", "none   end the comparison")
        self.choose(
            "Compare with", [*entries, none], comparing.network or "", lambda n: comparing.compare_with(n or None)
        )

    @property
    def opened_session(self) -> Session:
        """The session, for actions that wait for one."""
        assert self.session is not None, "actions that need a session wait for it"
        return self.session
