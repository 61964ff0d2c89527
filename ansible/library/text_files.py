"""Several small text files in one task: the modules that come with Ansible take two trips a file to the host."""

import os
import re
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: text_files
short_description: Writes several small text files at once
description: Only what differs is written, each by a rename. Checks and diffs nothing aloud, because some are secrets.
options:
  files: {description: The text of each file by its path., type: dict, required: true}
  gaps: {description: "What is filled in wherever a text says %{name}; a name that is missing fails.", type: dict}
extends_documentation_fragment: [ansible.builtin.files]
"""
GAP = re.compile(r"%\{(\w+)\}")


def main():
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "dict", "required": True, "no_log": False},
            "gaps": {"type": "dict"},
        },
        add_file_common_args=True,
        supports_check_mode=True,
    )
    gaps, changed = module.params["gaps"], []
    for path, text in sorted(module.params["files"].items()):
        if gaps is not None:
            if unknown := set(GAP.findall(text)) - gaps.keys():
                module.fail_json(msg=f"{path} has gaps that nothing fills: {', '.join(sorted(unknown))}")
            text = GAP.sub(lambda found: str(gaps[found.group(1)]), text)
        content = str(text).encode()
        differs = not os.path.isfile(path) or open(path, "rb").read() != content
        if differs and not module.check_mode:
            handle, fresh = tempfile.mkstemp(dir=module.tmpdir)
            with os.fdopen(handle, "wb") as out:
                out.write(content)
            module.atomic_move(fresh, path)
        attributes = module.load_file_common_arguments(module.params, path=path)
        if differs and module.check_mode:
            changed.append(path)
        elif module.set_fs_attributes_if_different(attributes, differs):
            changed.append(path)
    module.exit_json(changed=bool(changed), written=changed)


if __name__ == "__main__":
    main()
