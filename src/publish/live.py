"""Live cells on a page: their knobs as fields of a form, and what their script needs. live.ts has compiled them."""

from markupsafe import Markup


def knob_html(knob, cell):
    """A field with a label; a number has a slider, too, which goes over the values to try."""
    name, value, tries = knob["name"], knob["value"], knob["tries"]
    kind = "boolean" if isinstance(value, bool) else "number" if isinstance(value, (int, float)) else "text"
    identifier = f"knob-{cell}-{name}"
    if kind == "boolean":
        field = Markup('<input type="checkbox" data-field id="{}"{}>').format(
            identifier, Markup(" checked") if value else ""
        )
    elif kind == "text":
        options = Markup("").join(
            Markup("<option{}>{}</option>").format(Markup(" selected") if one == value else "", one) for one in tries
        )
        field = Markup('<select data-field id="{}">{}</select>').format(identifier, options)
    else:
        numbers = sorted(tries)
        field = Markup('<input type="number" step="any" data-field id="{}" value="{}">').format(
            identifier, text_of(value)
        )
        if len(numbers) > 1:
            field += Markup(
                '<input type="range" min="0" max="{}" step="1" value="{}" aria-label="{}" aria-valuetext="{}">'
            ).format(len(numbers) - 1, numbers.index(value), name, text_of(value))
        tries = numbers
    return Markup(
        '<span class="knob" data-name="{}" data-kind="{}" data-value="{}" data-tries="{}"><label for="{}">{}</label>{}</span>'
    ).format(
        name, kind, text_of(value), " ".join(map(text_of, tries)) if kind == "number" else "", identifier, name, field
    )


def form_html(cell, knobs, words, taken):
    """
    The knobs of a cell; hidden until a script says that they do something.

    :param taken: labels that the page has already; each form gets one of its own
    """
    if not knobs:
        return Markup("")
    label = base = f"{words['knobs']}: {', '.join(knob['name'] for knob in knobs)}"
    while label in taken:
        taken.append(base)
        label = f"{base} ({taken.count(base)})"
    taken.append(label)
    return Markup(
        '<form class="knobs" data-cell="{}" aria-label="{}" hidden>{}'
        '<button type="button" class="reset">{}</button><button type="button" class="stop" hidden>{}</button>'
        '<span role="status"></span></form>'
    ).format(cell, label, Markup("").join(knob_html(knob, cell) for knob in knobs), words["reset"], words["stop"])


def outputs_html(cell):
    """Where a live cell's outputs stand, so that they can be replaced."""
    return Markup('<div class="live-outputs" data-cell="{}">').format(cell)


def text_of(value):
    """As JavaScript writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
