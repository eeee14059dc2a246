/** The structure of TIFF, BigTIFF and EER files. */
import { type Static, Type } from 'typebox';
import { Bytes, Literals, Nullable } from './fields.ts';

const Eer = Type.Object(
  {
    bits: Nullable(
      Type.Array(Type.Integer(), {
        description: 'Bits of a run, and of the horizontal and vertical position of an electron inside its pixel.',
      }),
    ),
    camera: Nullable(Type.String()),
    exposure: Nullable(Type.Number({ description: 'Seconds.' })),
    dose_rate: Nullable(Type.Number({ description: 'Electrons per pixel and second.' })),
    total_dose: Nullable(Type.Number({ description: 'Electrons per pixel.' })),
    gain_reference: Nullable(Type.String({ description: 'Name of the gain reference.' })),
    taken: Nullable(Type.String({ description: 'As the camera writes it.' })),
  },
  { title: 'Eer', description: 'Metadata of an EER file.' },
);

export const Tiff = Type.Object(
  {
    format: Literals(['tiff', 'bigtiff', 'eer'], 'EER files are TIFF files whose frames are compressed as EER.'),
    kind: Literals(['image', 'stack'], 'One frame, or several.'),
    width: Type.Integer({ description: 'Pixels of a frame.' }),
    height: Type.Integer(),
    frames: Type.Integer({ description: 'Images like the first one.' }),
    other_images: Type.Integer({ description: 'Images of another size or type, such as thumbnails.' }),
    bits: Type.Integer({ description: 'Of one sample.' }),
    sample_format: Literals(['unsigned', 'signed', 'float', 'other'], 'What a sample is.'),
    samples: Type.Integer({ description: 'Of a pixel; 1 for grey images.' }),
    compression: Type.Object({
      code: Type.Integer({ description: 'The tag Compression.' }),
      name: Nullable(Type.String({ description: 'Null: not known.' })),
    }),
    layout: Literals(['strips', 'tiles'], 'How a frame is divided.'),
    blocks: Type.Integer({ description: 'Strips or tiles of all frames.' }),
    data_bytes: Bytes('All frames as they are stored, bytes.'),
    byte_order: Literals(['little', 'big'], 'Byte order of the file.'),
    pixel_size: Nullable(Type.Number({ description: 'Å.' })),
    software: Nullable(Type.String()),
    description: Nullable(Type.String({ description: 'The tag ImageDescription, at most 1,000 bytes.' })),
    eer: Nullable(Eer),
    not_drawn: Nullable(Type.String({ description: 'Why there are no statistics and no picture; null: there are.' })),
  },
  { title: 'Tiff', description: 'What the directories of a TIFF, BigTIFF or EER file say.' },
);
export type Tiff = Static<typeof Tiff>;
