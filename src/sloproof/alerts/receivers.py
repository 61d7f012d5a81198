"""Who can be told: a webhook, a Slack channel, a mailbox. Secrets are files, never text here."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from sloproof.definition import Definition, Name

_LINKS = "{{ .Annotations.runbook_url }} {{ .Annotations.dashboard_url }}"
_TEXT = "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n" + _LINKS + "\n{{ end }}"
_TITLE = (
    '[{{ .Status | toUpper }}{{ if eq .Status "firing" }} {{ .Alerts.Firing | len }}{{ end }}] '
    "{{ .CommonLabels.severity }} {{ .CommonLabels.service }} {{ .CommonLabels.slo }}"
)


def _a_file(path: str) -> str:
    if "://" in path or "\n" in path or not path.strip():
        raise ValueError(
            f"`{'...' if '://' in path else path}` is not a file; write the secret into a file that "
            "only Alertmanager can read, and give its path"
        )
    return path


SecretFile = Annotated[str, AfterValidator(_a_file)]
"""The path of a file on Alertmanager's machine that holds a secret."""


class Webhook(Definition):
    """A receiver that takes Alertmanager's JSON over HTTP.

    Args:
        name: the receiver's name.
        url: where notifications are posted.
        send_resolved: whether the end of an alert is told too.
    """

    kind: Literal["webhook"] = "webhook"
    name: Name
    url: str = Field(pattern=r"^https?://")
    send_resolved: bool = True

    def document(self) -> dict[str, Any]:
        """The receiver as Alertmanager reads it."""
        return {"name": self.name, "webhook_configs": [{"url": self.url, "send_resolved": self.send_resolved}]}


class Slack(Definition):
    """A channel of Slack.

    Args:
        name: the receiver's name.
        channel: with its `#`, or a member's `@name`.
        api_url_file: file that holds the incoming webhook's address, which is a secret.
        send_resolved: whether the end of an alert is told too.
    """

    model_config = ConfigDict(hide_input_in_errors=True)  # a secret given by mistake is not shown

    kind: Literal["slack"] = "slack"
    name: Name
    channel: str = Field(pattern=r"^[#@]\S+$")
    api_url_file: SecretFile
    send_resolved: bool = True

    def document(self) -> dict[str, Any]:
        """The receiver as Alertmanager reads it, with the alerts' own words."""
        config = {
            "api_url_file": self.api_url_file,
            "channel": self.channel,
            "send_resolved": self.send_resolved,
            "title": _TITLE,
            "text": _TEXT,
        }
        return {"name": self.name, "slack_configs": [config]}


class Email(Definition):
    """A mailbox.

    Args:
        name: the receiver's name.
        to: addresses, separated by commas.
        from_: the sender's address.
        smarthost: `host:port` of the mail server; TLS is required.
        username: for the mail server; empty for one that asks for none.
        password_file: file that holds the password.
        send_resolved: whether the end of an alert is told too.
    """

    model_config = ConfigDict(hide_input_in_errors=True)  # a secret given by mistake is not shown

    kind: Literal["email"] = "email"
    name: Name
    to: str = Field(pattern=r"^[^@\s]+@[^@\s]+$|^[^@\s]+@[^@\s]+(, ?[^@\s]+@[^@\s]+)+$")
    from_: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    smarthost: str = Field(pattern=r"^\S+:\d+$")
    username: str = ""
    password_file: SecretFile | None = None
    send_resolved: bool = True

    def document(self) -> dict[str, Any]:
        """The receiver as Alertmanager reads it, with the alerts' own words."""
        identified = {"auth_username": self.username} if self.username else {}
        secret = {"auth_password_file": self.password_file} if self.password_file else {}
        config = {
            "to": self.to,
            "from": self.from_,
            "smarthost": self.smarthost,
            **identified,
            **secret,
            "headers": {"Subject": _TITLE},
            "text": _TEXT,
            "send_resolved": self.send_resolved,
        }
        return {"name": self.name, "email_configs": [config]}


Receiver = Webhook | Slack | Email
