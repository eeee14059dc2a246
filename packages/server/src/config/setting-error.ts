/** A setting that is refused. Its message is one line that begins with the setting's name. */
export class SettingError extends Error {}
