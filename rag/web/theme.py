"""Colours, sizes and fonts. Fonts are what the system has: nothing is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradio.themes import Base

# macOS, Windows, Linux in turn; the last word is the browser's.
FONTS = (
    "PingFang SC",
    "Microsoft YaHei UI",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "system-ui",
    "sans-serif",
)
MONO = ("Cascadia Mono", "Consolas", "Menlo", "Noto Sans Mono CJK SC", "monospace")

_SET = {
    "body_background_fill": "*neutral_50",
    "body_background_fill_dark": "*neutral_950",
    "block_background_fill": "white",
    "block_background_fill_dark": "*neutral_900",
    "block_border_width": "1px",
    "block_shadow": "none",
    "block_label_text_size": "*text_md",
    "block_info_text_color": "*neutral_500",
    "block_info_text_color_dark": "*neutral_400",
    "block_info_text_size": "*text_sm",
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_hover": "*primary_700",
    "button_primary_background_fill_dark": "*primary_600",
    "button_primary_background_fill_hover_dark": "*primary_500",
    "button_primary_text_color": "white",
    "button_secondary_background_fill": "white",
    "button_secondary_background_fill_hover": "*primary_50",
    "button_secondary_background_fill_dark": "*neutral_800",
    "button_secondary_background_fill_hover_dark": "*neutral_700",
    "button_secondary_border_color": "*neutral_300",
    "button_border_width": "1px",
    "button_large_text_size": "*text_lg",
    "input_background_fill": "white",
    "input_background_fill_dark": "*neutral_900",
    "input_border_width": "1px",
    "input_border_color": "*neutral_300",
    "input_border_color_dark": "*neutral_700",
    "input_border_color_focus": "*primary_500",
    "link_text_color": "*primary_700",
    "link_text_color_dark": "*primary_300",
}


def make_theme() -> Base:
    """Return the theme: ink on paper, one deep green, text of 16 pixels and more."""
    from gradio.themes import Base, Color

    green = Color(
        name="lingxue", c50="#eff7f5", c100="#d9ece7", c200="#b3d9cf", c300="#84c0b2", c400="#4fa08f",
        c500="#2b8474", c600="#1c6b5e", c700="#17574d", c800="#13453e", c900="#0f3631", c950="#081f1c",
    )  # fmt: skip
    stone = Color(
        name="paper", c50="#faf9f6", c100="#f3f1ec", c200="#e6e3db", c300="#d2cec3", c400="#9d988c",
        c500="#6f6b61", c600="#55524a", c700="#403e38", c800="#2a2925", c900="#1d1c1a", c950="#141311",
    )  # fmt: skip
    theme = Base(primary_hue=green, secondary_hue=green, neutral_hue=stone, text_size="lg",
                 radius_size="md", font=FONTS, font_mono=MONO)  # fmt: skip
    return theme.set(**_SET)
